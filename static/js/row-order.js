// The order of the conversations: a row that was fetched anew by itself moves to its place: the latest data-at
// first, or with data-first="longest" the earliest.
function insert(list, row, before) {
  // moveBefore keeps the focus and what runs inside; browsers without it get the focus back by hand.
  if (typeof list.moveBefore === "function") {
    list.moveBefore(row, before);
    return;
  }
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  list.insertBefore(row, before);
  focused?.focus({ preventScroll: true });
}

document.addEventListener("htmx:after:swap", () => {
  const list = document.getElementById("rows");
  if (!list) return;
  const isAbove = list.dataset.first === "longest" ? (a, b) => a < b : (a, b) => b < a;
  const rows = [...list.querySelectorAll(":scope > .row")];
  for (const [index, row] of rows.entries()) {
    const later = rows.slice(0, index).find((other) => isAbove(row.dataset.at, other.dataset.at));
    if (later) insert(list, row, later);
  }
});
