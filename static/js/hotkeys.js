// Keys: every element with data-hotkey is pressed, or focused if it is a field, by its key.
//
//   data-hotkey="j"   "g d" (one after the other)   "?,Shift+?" (either)   "Mod+k" (Ctrl, or Cmd on a Mac)
// Never while typing; never for what a dialog covers, what is not shown but for `hidden` holders, or what is disabled.
// <body data-single-keys="off"> switches off all but those with Mod (WCAG 2.1.4).
import { install, uninstall } from "../vendor/hotkey/hotkey.js";

const known = new Set();

/** Installs what came, and forgets what went. */
function refresh() {
  for (const element of known) {
    if (element.isConnected) continue;
    uninstall(element);
    known.delete(element);
  }
  const off = document.body.dataset.singleKeys === "off";
  for (const element of document.querySelectorAll("[data-hotkey]")) {
    if (known.has(element) || (off && !/Mod|Control|Meta/.test(element.dataset.hotkey))) continue;
    install(element);
    known.add(element);
  }
}

/** Whether the key may reach `element` now. */
function reachable(element) {
  const modal = [...document.querySelectorAll("dialog:modal")].pop();
  if (modal && !modal.contains(element)) return false;
  if (element.matches(":disabled")) return false;
  return element.closest("[hidden]") !== null || element.checkVisibility();
}

document.addEventListener("hotkey-fire", (event) => {
  if (!reachable(event.target)) event.preventDefault();
}, { capture: true });

refresh();
new MutationObserver(refresh).observe(document.body, { childList: true, subtree: true });
