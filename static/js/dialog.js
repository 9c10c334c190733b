// Dialogs: the native <dialog>, opened modally, given its content, closed, and the focus given back.
//
//   data-dialog="#id"        on a button or link: opens that dialog
//   data-dialog-load="#id"   on a link: fetches its href, puts the element of the same role into the dialog, opens it;
//                            without script the link goes to the page. data-dialog-select picks the part (default: main form)
//   data-open                on a dialog the server sent: opens it when it arrives
//   data-close               inside a dialog: closes it (a link with data-close is a plain link on a page)
//   data-draft               on a form in a loaded dialog: kept when the dialog closes, and shown again, brought up to date by
//                            the server, when it is opened from the same address
// A popover closes when a form in it is sent.
// `janela:close-dialog` (also by HX-Trigger) closes the topmost dialog, which is done with its draft. Escape is the browser's own.

function open(dialog) {
  if (!dialog || dialog.open) return;
  const opener = document.activeElement;
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
  }, { once: true });
}

/** What was left unfinished in each dialog, by the address it had been opened from. */
const drafts = new WeakMap();

/** Takes the draft out of `dialog` and returns the one that was begun at `address`. */
function exchangeDraft(dialog, address) {
  const kept = drafts.get(dialog) ?? new Map();
  drafts.set(dialog, kept);
  const current = dialog.querySelector("form[data-draft]");
  if (current) kept.set(dialog.dataset.from, current);
  current?.remove();
  dialog.dataset.from = address;
  const draft = kept.get(address);
  kept.delete(address);
  return draft;
}

async function load(link) {
  const dialog = document.querySelector(link.dataset.dialogLoad);
  if (!dialog || dialog.open) return;
  const draft = exchangeDraft(dialog, link.href);
  if (draft) {
    dialog.replaceChildren(draft);
    const again = { source: draft, target: draft, select: `#${draft.id}`, swap: "outerMorph", push: "false" };
    await window.htmx.ajax("POST", draft.action, { ...again, values: { go: "resume" } });
    open(dialog);
    return;
  }
  const part = link.dataset.dialogSelect ?? "main form";
  let answer;
  const fetch = async (...request) => (answer = await window.fetch(...request));
  await window.htmx.ajax("GET", link.href, { target: dialog, swap: "innerHTML", select: part, push: "false", fetch });
  if (dialog.querySelector("form, .dialog-body")) open(dialog);
  else if (answer?.ok) window.location.assign(link.href);
}

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
  if (!plain) return;
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    open(document.querySelector(opener.dataset.dialog));
    return;
  }
  const loader = event.target.closest("a[data-dialog-load]");
  if (loader && window.htmx) {
    event.preventDefault();
    load(loader).catch(() => window.location.assign(loader.href));
    return;
  }
  const closer = event.target.closest("[data-close]");
  const dialog = closer?.closest("dialog");
  if (dialog) {
    event.preventDefault();
    dialog.close();
  }
});

document.addEventListener("janela:close-dialog", () => {
  const dialog = [...document.querySelectorAll("dialog:modal")].pop();
  dialog?.querySelector("form[data-draft]")?.remove();
  dialog?.close();
});

// A request beside the form may be the first to hear that the session ended: what is typed then goes to the server first,
// which leads over the sign-in back to it. The form's own request is answered so by itself.
document.addEventListener("htmx:before:response", (event) => {
  const ctx = event.detail?.ctx;
  if (!ctx?.hx?.redirect?.startsWith("/account/sign-in")) return;
  const form = document.querySelector("dialog:modal form:has(> input[name=author])");
  if (!form || form.contains(ctx.sourceElement)) return;
  event.preventDefault();
  window.htmx.ajax("POST", form.action, { source: form, values: { go: "look" } });
});

// What was chosen in a popover is done with it.
document.addEventListener("submit", (event) => event.target.closest("[popover]:popover-open")?.hidePopover());

function openArrivals(root) {
  for (const dialog of root.querySelectorAll("dialog[data-open]")) open(dialog);
}
openArrivals(document);
document.addEventListener("htmx:after:swap", () => openArrivals(document));
