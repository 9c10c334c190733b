// Whether someone may be written to, kept true while the dialog is open (AD-07).
//
//   data-keeps-standing               fetches it anew by hx-trigger="janela:standing"; stands inside the form it sends
//   data-standing-of="1-42"           on whoever is shown: the conversation; empty for a number that nobody here has
//
// Several events that come together are one request, and only those of who is shown count. It waits for a press that is under
// way. An answer is dropped, and asked for again, when something was typed or chosen meanwhile: it is about another list by then.
const GATHER = 300;
const AT_LATEST = 2_000;
const HEARD = ["gate", "arrival", "message", "conversation", "active-messages"];

let timer, first;
/** What the form held when the request under way left, by the element that sent it. */
const asked = new WeakMap();

function held(form) {
  return new URLSearchParams(new FormData(form)).toString();
}

function isShown(conversation) {
  return [...document.querySelectorAll("[data-standing-of]")].some(({ dataset }) => ["", conversation].includes(dataset.standingOf));
}

function gather() {
  clearTimeout(timer);
  first ??= performance.now();
  const left = first + AT_LATEST - performance.now();
  timer = setTimeout(ask, Math.max(0, Math.min(GATHER, left)));
}

function ask() {
  first = undefined;
  for (const keeper of document.querySelectorAll("[data-keeps-standing]")) {
    if (!keeper.checkVisibility()) continue; // a draft is brought up to date when it is opened
    if (keeper.closest("form").querySelector('[aria-busy="true"]')) gather();
    else keeper.dispatchEvent(new CustomEvent("janela:standing"));
  }
}

for (const name of HEARD) {
  document.addEventListener(`janela:${name}`, ({ detail }) => {
    if (!document.querySelector("[data-keeps-standing]")) return;
    if (name === "gate" || isShown(detail.conversation)) gather();
  }, { capture: true }); // what live.js sends does not bubble
}

const keeperOf = (event) => event.detail?.ctx?.sourceElement?.closest?.("[data-keeps-standing]");
document.addEventListener("htmx:before:request", (event) => {
  const keeper = keeperOf(event);
  if (keeper) asked.set(keeper, held(keeper.closest("form")));
});
document.addEventListener("htmx:before:swap", (event) => {
  const keeper = keeperOf(event);
  const form = keeper?.closest("form");
  if (!form || asked.get(keeper) === held(form)) return;
  event.preventDefault();
  gather();
});
