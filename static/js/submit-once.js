// Forms: <form data-submit-once> is sent once (the idempotency key is the server's half, AM-11), and problems get the focus.
//
// The pressed button is marked aria-busy and further submits are dropped until the answer came. After an answer with
// .error-summary or [data-problem] the focus moves to it, so that it is read; its links lead to the fields.
//
// A double click sends once, and presses nothing else: when the answer came between its two clicks, the second would press what
// took the button's place, in the next step or beneath the closed dialog. Only that click is dropped: the very next one, at the
// same place and soon. Any other, and one after a key, is meant.
const under = new WeakSet();

const DOUBLE_CLICK_WITHIN = 400;
const DOUBLE_CLICK_ASTRAY = 10;
/** The last click of a pointer, and the one that sent a form, until the next click or key. */
let last, sent;

function isSecondOf(first, click) {
  const isNear = Math.hypot(click.clientX - first.clientX, click.clientY - first.clientY) <= DOUBLE_CLICK_ASTRAY;
  return isNear && (2 <= click.detail || click.timeStamp - first.timeStamp <= DOUBLE_CLICK_WITHIN);
}

document.addEventListener("click", (event) => {
  if (event.detail === 0) return; // by a key, or by script
  const first = sent;
  sent = undefined;
  last = event;
  if (!first || !isSecondOf(first, event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
for (const name of ["keydown", "input"]) document.addEventListener(name, () => (sent = last = undefined), { capture: true });

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-once]")) return;
  if (under.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  under.add(form);
  if (last && event.submitter?.contains(last.target)) sent = last;
  event.submitter?.setAttribute("aria-busy", "true");
}, { capture: true });

function release(form) {
  under.delete(form);
  for (const button of form.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy");
}

document.addEventListener("htmx:finally:request", (event) => {
  const form = event.detail?.ctx?.sourceElement?.closest?.("form");
  if (form) release(form);
});
// Back from the page cache: the form may be sent again; the key on it still makes it one message.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-submit-once]")) release(form);
});

function focusProblems() {
  const summary = [...document.querySelectorAll(".error-summary, [data-problem]")].find((element) => element.checkVisibility());
  summary?.focus();
}
document.addEventListener("htmx:after:swap", (event) => {
  if (400 <= (event.detail?.ctx?.response?.status ?? 0)) focusProblems();
});
focusProblems();
