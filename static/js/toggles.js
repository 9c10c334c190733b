// A switch that other controls depend on: <input type="checkbox" data-toggles="#limit-count #scope"> enables them.
//
// Off, a control gets `readonly` and a fieldset or select is `disabled`, and its .setting gets data-off; the server
// judges the whole form either way.
function apply(toggle) {
  for (const selector of toggle.dataset.toggles.split(/\s+/)) {
    const control = document.querySelector(selector);
    if (!control) continue;
    if (control.matches("fieldset, select")) control.disabled = !toggle.checked;
    else control.readOnly = !toggle.checked;
    control.closest(".setting")?.toggleAttribute("data-off", !toggle.checked);
  }
}

function applyAll() {
  for (const toggle of document.querySelectorAll("[data-toggles]")) apply(toggle);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-toggles]")) apply(event.target);
});
document.addEventListener("htmx:after:swap", applyAll);
applyAll();
