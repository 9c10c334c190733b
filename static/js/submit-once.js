// Forms: <form data-submit-once> is sent once (the idempotency key is the server's half, AM-11), and problems get the focus.
//
// The pressed button is marked aria-busy and further submits are dropped until the answer came. After an answer with
// .error-summary or [data-problem] the focus moves to it, so that it is read; its links lead to the fields.
const under = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-once]")) return;
  if (under.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  under.add(form);
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
