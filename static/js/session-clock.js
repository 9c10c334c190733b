// <session-clock until="ISO" warn-minutes="120">: the time left in a session window, ticking (SW-01, SW-02).
//
// The server renders the children with the right words already; this keeps them right:
//   [data-state]        on .clock: ok, soon, over
//   [data-clock-short]  `22 h`, `1 h 12`, or data-over
//   [data-clock-left]   `1 h 12 min` in the floating window, or data-over
//   [data-clock-label]  data-label-ok, data-label-soon or data-label-over, for screen readers
// Words: those of duration.js and the ones above. When the window closes it sends `janela:session-over`, which bubbles.
import { everySecond, now } from "./now.js";
import { fill, longLeft, shortLeft } from "./duration.js";

const HOUR_MINUTES = 60;

/** Writes only a change, so that the page is not laid out again each second. */
function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

class SessionClock extends HTMLElement {
  #stop;

  connectedCallback() {
    this.#stop = everySecond(() => this.#show());
  }

  disconnectedCallback() {
    this.#stop?.();
  }

  #show() {
    const until = Date.parse(this.getAttribute("until"));
    if (Number.isNaN(until)) return;
    const left = until - now();
    const warn = Number(this.getAttribute("warn-minutes") ?? 2 * HOUR_MINUTES);
    const state = left <= 0 ? "over" : left < warn * 60_000 ? "soon" : "ok";
    const words = this.dataset;
    const inWords = state === "over" ? words.over : longLeft(left, words);
    put(this.querySelector("[data-clock-short]"), state === "over" ? words.over : shortLeft(left, words, Math.max(warn, 2 * HOUR_MINUTES)));
    put(this.querySelector("[data-clock-left]"), inWords);
    const label = { ok: words.labelOk, soon: words.labelSoon, over: words.labelOver }[state];
    put(this.querySelector("[data-clock-label]"), fill(label, { left: inWords }));
    const clock = this.querySelector(".clock");
    if (!clock || clock.dataset.state === state) return;
    const closes = state === "over" && clock.dataset.state !== undefined;
    clock.dataset.state = state;
    if (closes) this.dispatchEvent(new CustomEvent("janela:session-over", { bubbles: true }));
  }
}

customElements.define("session-clock", SessionClock);
