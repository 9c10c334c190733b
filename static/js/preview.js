// The preview of a template, as the variables are typed (AM-06).
//
// <input data-variable="name"> fills every <mark data-slot="name">, as text. Empty, the mark shows `{{name}}` again and
// gets data-empty. <select> and <textarea> work the same.
document.addEventListener("input", (event) => {
  const variable = event.target.dataset?.variable;
  if (variable === undefined) return;
  const value = event.target.value;
  for (const slot of document.querySelectorAll(`mark[data-slot="${CSS.escape(variable)}"]`)) {
    slot.textContent = value === "" ? `{{${variable}}}` : value;
    slot.toggleAttribute("data-empty", value === "");
  }
});
