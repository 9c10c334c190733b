// <relative-time datetime="ISO" data-in="in {left}" data-now="now">: counts down to an instant, cut to the minute.
//
// The server renders the text; this keeps it right. Words: those of duration.js, data-in around the rest, and
// data-now once the instant has come. Then it sends `janela:due`, which bubbles.
import { everySecond, now } from "./now.js";
import { fill, longLeft } from "./duration.js";

class RelativeTime extends HTMLElement {
  #stop;
  #due = false;

  connectedCallback() {
    this.#stop = everySecond(() => this.#show());
  }

  disconnectedCallback() {
    this.#stop?.();
  }

  #show() {
    const instant = Date.parse(this.getAttribute("datetime"));
    if (Number.isNaN(instant)) return;
    const left = instant - now();
    const due = left <= 0;
    const text = due ? (this.dataset.now ?? this.textContent) : fill(this.dataset.in ?? "{left}", { left: longLeft(left, this.dataset) });
    if (this.textContent !== text) this.textContent = text;
    if (due && !this.#due) this.dispatchEvent(new CustomEvent("janela:due", { bubbles: true }));
    this.#due = due;
  }
}

customElements.define("relative-time", RelativeTime);
