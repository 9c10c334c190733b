// Tooltips are CSS (.tip); Escape hides the one that shows, until pointer and focus have left it (WCAG 1.4.13).
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const tip of document.querySelectorAll(".tip:hover, .tip:focus-within")) {
    if (tip.hasAttribute("data-dismissed")) continue;
    tip.setAttribute("data-dismissed", "");
    event.preventDefault(); // and not the dialog around it
  }
}, { capture: true });

for (const leaving of ["pointerout", "focusout"]) {
  document.addEventListener(leaving, (event) => {
    const tip = event.target.closest?.(".tip[data-dismissed]");
    if (tip && !tip.contains(event.relatedTarget)) tip.removeAttribute("data-dismissed");
  });
}
