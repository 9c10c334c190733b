// What was said of a value goes as soon as the value changes; the server says it anew once the typing pauses.
//
// <input data-problem-until-changed id="x">: typing in it takes #x-problem and #x-found away, and its line of the summary.
document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-problem-until-changed]")) return;
  for (const said of ["problem", "found"]) document.getElementById(`${target.id}-${said}`)?.remove();
  target.removeAttribute("aria-invalid");
  for (const link of document.querySelectorAll(`.error-summary a[href="#${CSS.escape(target.id)}"]`)) {
    const summary = link.closest(".error-summary");
    link.closest("li").remove();
    summary.hidden = summary.querySelector("li") === null;
  }
});
