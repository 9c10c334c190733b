// The preview of a template, as the variables are typed (AM-06).
//
// <input data-variable="name"> fills every <mark data-slot="name">, as text. Empty, the mark shows `{{name}}` again and
// gets data-empty. <select> and <textarea> work the same. What was typed while the server answered is shown over the
// answer, which does not know it yet; other marks stay as the server filled them.
function show(input) {
  const { variable } = input.dataset;
  for (const slot of document.querySelectorAll(`mark[data-slot="${CSS.escape(variable)}"]`)) {
    slot.textContent = input.value === "" ? `{{${variable}}}` : input.value;
    slot.toggleAttribute("data-empty", input.value === "");
  }
}

document.addEventListener("input", (event) => {
  if (event.target.dataset?.variable !== undefined) show(event.target);
});

document.addEventListener("htmx:after:swap", () => {
  for (const input of document.querySelectorAll("input[data-variable]")) {
    if (input.value !== input.defaultValue) show(input);
  }
});
