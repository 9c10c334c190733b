// Typing in a conversation: Enter sends, Shift+Enter makes a line, and the field grows with its text.
//
//   <form data-enter-sends>     Enter in its <textarea> submits it; data-enter-sends="mod" asks for Ctrl or Cmd with it
//   <form data-clear-when-sent> its <textarea> is empty once the answer says it was taken, unless more was typed meanwhile
//   <textarea data-autogrow>    grows where the browser does not know `field-sizing: content`
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return;
  const area = event.target;
  if (!(area instanceof HTMLTextAreaElement)) return;
  const form = area.form?.closest("[data-enter-sends]");
  if (!form) return;
  const mod = event.ctrlKey || event.metaKey;
  if (form.dataset.enterSends === "mod" && !mod) return;
  event.preventDefault();
  if (area.value.trim() !== "") form.requestSubmit();
});

if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", (event) => {
    const area = event.target;
    if (!(area instanceof HTMLTextAreaElement) || !area.matches("[data-autogrow]")) return;
    area.rows = Math.min(10, area.value.split("\n").length);
  });
}

/** What a form's text was when it left. */
const sent = new WeakMap();

document.addEventListener("htmx:before:request", (event) => {
  // Only what the form itself sends: a link within it sends nothing.
  const form = event.detail?.ctx?.sourceElement;
  if (form?.matches?.("[data-clear-when-sent]")) sent.set(event.detail.ctx, { id: form.id, text: form.querySelector("textarea")?.value });
});
document.addEventListener("htmx:after:swap", (event) => {
  const left = sent.get(event.detail?.ctx);
  if (!left || 400 <= (event.detail.ctx.response?.status ?? 400)) return;
  const area = document.getElementById(left.id)?.querySelector("textarea");
  if (area && area.value === left.text) area.value = "";
});

/** The message that was answered by a file, while the composer still shows it. */
let answered = null;

/** Presses the link that takes it back; a refetch that was on its way may bring it again. */
function takeBack() {
  const quote = document.querySelector(".composer .answers input[name=quote]");
  if (!quote) answered = null;
  else if (quote.value === answered) quote.parentElement.querySelector("a").click();
}
document.addEventListener("janela:answered", () => {
  answered = document.querySelector(".composer .answers input[name=quote]")?.value ?? null;
  takeBack();
});
document.addEventListener("htmx:after:swap", () => {
  if (answered !== null) takeBack();
});
