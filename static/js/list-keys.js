// Next and previous: a button with data-step-in="#list" data-step-by="1" opens the link after the current one.
//
// The links are those in .title of the list, the current one has aria-current. At the end it stays.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step-in]");
  if (!button) return;
  const links = [...document.querySelectorAll(`${button.dataset.stepIn} .title > a`)];
  if (links.length === 0) return;
  const by = Number(button.dataset.stepBy);
  const current = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[current === -1 ? (0 < by ? 0 : links.length - 1) : current + by];
  if (!next) return;
  next.scrollIntoView({ block: "nearest" });
  next.focus({ preventScroll: true });
  next.click();
});
