// The page's own now: the server's clock, which the demo may have moved, and not the browser's.
//
// <meta name="janela-now" content="2026-11-22T17:02:00.000Z"> is the server's now when it wrote the page.
// The live event `clock` corrects it later (live.js calls setNow).

/** Milliseconds to add to the browser's clock. */
let offset = 0;

/** The current instant by the server's clock, in milliseconds since 1970. */
export function now() {
  return Date.now() + offset;
}

/** Takes `iso` for the current instant. Something unreadable changes nothing. */
export function setNow(iso) {
  const instant = Date.parse(iso);
  if (Number.isNaN(instant)) return;
  offset = instant - Date.now();
  document.dispatchEvent(new CustomEvent("janela:tick"));
}

/** Calls `callback` now, each second while the page is seen, and whenever the clock is moved. Returns a function that stops it. */
export function everySecond(callback) {
  document.addEventListener("janela:tick", callback);
  callback();
  return () => document.removeEventListener("janela:tick", callback);
}

// Parsing the page took a moment; performance.timeOrigin is about when the server answered.
const written = document.querySelector('meta[name="janela-now"]')?.content;
if (written && !Number.isNaN(Date.parse(written))) {
  offset = Date.parse(written) - (performance.timeOrigin + responseStart());
}

/** When the answer began to arrive, in milliseconds since the navigation began. */
function responseStart() {
  return performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
}

setInterval(() => {
  if (!document.hidden) document.dispatchEvent(new CustomEvent("janela:tick"));
}, 1000);
document.addEventListener("visibilitychange", () => document.dispatchEvent(new CustomEvent("janela:tick")));
