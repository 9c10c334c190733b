// Typing in a conversation: Enter sends, Shift+Enter makes a line, and the field grows with its text.
//
//   <form data-enter-sends>     Enter in its <textarea> submits it; data-enter-sends="mod" asks for Ctrl or Cmd with it
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
