// Says that someone types an answer, so that the customer sees it: at most once in 20 s, and in silence when it fails.
//
//   <form data-typing="/path">  typing in its <textarea> is said there, with the form's own token
const EVERY = 20_000;
let saidAt = -EVERY;
let saidTo = "";

document.addEventListener("input", (event) => {
  const area = event.target;
  if (!(area instanceof HTMLTextAreaElement) || area.value.trim() === "") return;
  const form = area.form?.closest("[data-typing]");
  if (!form) return;
  const to = form.dataset.typing;
  const now = performance.now();
  if (to === saidTo && now - saidAt < EVERY) return;
  [saidAt, saidTo] = [now, to];
  const body = new URLSearchParams({ form_token: form.elements.form_token.value });
  fetch(to, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
});

// Whoever chose a message to answer goes on where the answer is written.
document.addEventListener("htmx:after:swap", (event) => {
  const link = event.detail?.ctx?.sourceElement?.closest?.("[data-then-focus]");
  if (link) document.querySelector(link.dataset.thenFocus)?.focus();
});
