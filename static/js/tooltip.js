// Tooltips are CSS (.tip); Escape hides the one that shows, until pointer and focus have left it (WCAG 1.4.13).
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const text of document.querySelectorAll(".tip > .tip-text")) {
    const tip = text.parentElement;
    if (getComputedStyle(text).visibility !== "visible") continue;
    tip.setAttribute("data-dismissed", "");
    event.preventDefault(); // and not the dialog around it
  }
}, { capture: true });

for (const leaving of ["pointerout", "focusout"]) {
  document.addEventListener(leaving, (event) => {
    const owner = event.target.closest?.(".pick, .tip");
    if (!owner || owner.contains(event.relatedTarget)) return;
    for (const tip of [owner, ...owner.querySelectorAll("[data-dismissed]")]) tip.removeAttribute("data-dismissed");
  });
}
