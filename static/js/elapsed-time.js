// <elapsed-time datetime="ISO">: counts up from an instant, cut to the minute, such as the time of a break (RO-06).
//
// The server renders the text; this keeps it right. Words: those of duration.js.
import { everySecond, now } from "./now.js";
import { longLeft } from "./duration.js";

class ElapsedTime extends HTMLElement {
  #stop;

  connectedCallback() {
    this.#stop = everySecond(() => this.#show());
  }

  disconnectedCallback() {
    this.#stop?.();
  }

  #show() {
    const since = Date.parse(this.getAttribute("datetime"));
    if (Number.isNaN(since)) return;
    const text = longLeft(Math.max(0, now() - since), this.dataset);
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("elapsed-time", ElapsedTime);
