// Arrow keys between a search field and the list of what it finds: the one with the focus is the one Enter chooses.
//
// <input type="search" data-arrows-into="#people">: arrow down goes to the first .pick of #people, arrows go on from there,
// and arrow up from the first goes back to the field.
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const by = STEPS[event.key];
  const bare = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.isComposing;
  if (!by || !bare) return;
  const list = event.target.closest?.(".pick")?.parentElement;
  const field = list
    ? [...document.querySelectorAll("[data-arrows-into]")].find((input) => list.closest(input.dataset.arrowsInto))
    : event.target.closest?.("[data-arrows-into]");
  if (!field) return;
  const stops = [field, ...document.querySelectorAll(`${field.dataset.arrowsInto} .pick .name`)];
  const next = stops[stops.indexOf(event.target) + by];
  event.preventDefault();
  next?.focus();
  next?.closest(".pick")?.scrollIntoView({ block: "nearest" });
});
