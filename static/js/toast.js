// Toasts: short news in the polite live region #toasts, gone after a while (AM-09, AD-07).
//
// Three ways in: the server renders .toast into #toasts; a response sends the header
//   HX-Trigger: {"janela:toast": {"text": "Message sent to Rafael Torres", "kind": "done"}}
// (escape non-ASCII as \u00e9: headers are ASCII); or an element with data-toast="text" data-toast-kind="error" is pressed.
// kind: done (default) or error. An error stays longer and is announced at once. A form has one at most: the next of it, or of
// a field in it, takes its place. It goes before its time when what it tells of is over: the same form (or field) was answered
// again, well or not, or its dialog closed. Escape takes errors away as well, after a tooltip or menu, before the dialog beneath.
// Equal ones are one, and at most three stand at a time: the oldest goes.
const SHOWN_FOR = { done: 6_000, error: 12_000 };
const MOST = 3;
const ICONS = { done: "check", error: "circle-alert" };
const SVG = "http://www.w3.org/2000/svg";

function region() {
  return document.getElementById("toasts");
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#i-${name}`);
  svg.append(use);
  return svg;
}

/** What `source` belongs to: the id of its form and its own, empty where there is none. A form is its own action. */
function origin(source) {
  return { form: source?.closest?.("form")?.id ?? "", action: source?.id ?? "" };
}

/** Shows `text`; `kind` is `done` or `error`. `source` is the form, field or button it came of, if of any. */
export function toast(text, kind = "done", source = null) {
  const home = region();
  if (!home || !text) return;
  const { form, action } = origin(source);
  if (kind === "error") dismissErrors(({ dataset }) => (form ? dataset.form === form : action && dataset.action === action));
  for (const same of home.querySelectorAll(".toast")) if (same.querySelector("p")?.textContent === text) dismiss(same);
  const element = document.createElement("div");
  element.className = "toast";
  Object.assign(element.dataset, { kind, form, action });
  if (kind === "error") element.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.dataset.close = "";
  close.setAttribute("aria-label", home.dataset.closeLabel ?? "×");
  close.append(icon("x"));
  element.append(icon(ICONS[kind] ?? ICONS.done), words, close);
  for (const old of [...home.querySelectorAll(".toast")].slice(0, -(MOST - 1))) old.remove();
  home.append(element);
}

/** Where the focus came from into each toast. */
const cameFrom = new WeakMap();

/** Takes `element` away, and gives the focus back that was inside. */
function dismiss(element) {
  const home = element.contains(document.activeElement) ? cameFrom.get(element) : undefined;
  element.remove();
  if (home?.isConnected) home.focus({ preventScroll: true });
}

/** Takes the errors away that `isOver` says are over; whether there were any. */
function dismissErrors(isOver) {
  const over = [...(region()?.querySelectorAll('.toast[data-kind="error"]') ?? [])].filter(isOver);
  over.forEach(dismiss);
  return over.length !== 0;
}

/** Keeps `element` for its time; the time stands still under the pointer and while the focus is inside. */
function watch(element) {
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => element.remove(), SHOWN_FOR[element.dataset.kind] ?? SHOWN_FOR.done);
  };
  const hold = () => clearTimeout(timer);
  element.addEventListener("pointerenter", hold);
  element.addEventListener("pointerleave", start);
  element.addEventListener("focusin", (event) => {
    hold();
    const from = event.relatedTarget;
    if (from && !from.closest(".toast")) cameFrom.set(element, from);
  });
  element.addEventListener("focusout", start);
  element.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dismiss(element);
  });
  start();
}

/** A modal dialog makes the rest of the page inert and covers it; as a popover the region is shown above. */
function raise(home) {
  if (!("showPopover" in home)) return;
  home.setAttribute("popover", "manual");
  const modal = document.querySelector("dialog:modal");
  const host = modal ?? document.body;
  if (home.parentElement !== host) host.append(home);
  if (home.matches(":popover-open")) home.hidePopover();
  if (home.querySelector(".toast")) home.showPopover();
}

/** The region under watch; a page put back by the history is another one. */
let watched;

function start() {
  const home = region();
  if (!home || home === watched) return;
  watched = home;
  for (const element of home.querySelectorAll(".toast")) watch(element);
  if (home.querySelector(".toast")) raise(home);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node instanceof HTMLElement && node.matches(".toast")) watch(node);
    }
    raise(home);
  }).observe(home, { childList: true });
}

document.addEventListener("janela:toast", (event) => toast(event.detail?.text, event.detail?.kind, event.target));
document.addEventListener("click", (event) => {
  const owner = event.target.closest?.("[data-toast]");
  if (!owner) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  toast(owner.dataset.toast, owner.dataset.toastKind, owner);
}, { capture: true });
// Before the answer is swapped and before it says anything itself.
document.addEventListener("htmx:after:request", (event) => {
  const source = event.detail?.ctx?.sourceElement;
  if (!source?.id) return;
  const isForm = source.matches("form");
  dismissErrors(({ dataset }) => dataset.action === source.id || (isForm && dataset.form === source.id));
});
document.addEventListener("htmx:after:swap", start);
document.addEventListener("close", (event) => {
  if (watched?.isConnected) raise(watched);
  const forms = [...event.target.querySelectorAll("form[id]")].map((element) => element.id);
  dismissErrors(({ dataset }) => forms.includes(dataset.form));
}, { capture: true });
document.addEventListener("keydown", (event) => {
  const isOurs = event.key === "Escape" && !event.defaultPrevented && !event.isComposing;
  if (!isOurs || document.querySelector(":popover-open:not(#toasts)")) return;
  if (dismissErrors(() => true)) event.preventDefault(); // and not the dialog beneath
});
start();
