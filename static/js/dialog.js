// Dialogs: the native <dialog>, opened modally, given its content, closed, and the focus given back.
//
//   data-dialog="#id"        on a button or link: opens that dialog
//   data-dialog-load="#id"   on a link: fetches its href, puts the element of the same role into the dialog, opens it;
//                            without script the link goes to the page. data-dialog-select picks the part (default: main form)
//   data-open                on a dialog the server sent: opens it when it arrives
//   data-close               inside a dialog: closes it (a link with data-close is a plain link on a page)
// `janela:close-dialog` (also by HX-Trigger) closes the topmost dialog. Escape is the browser's own.

function open(dialog) {
  if (!dialog || dialog.open) return;
  const opener = document.activeElement;
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
  }, { once: true });
}

async function load(link) {
  const dialog = document.querySelector(link.dataset.dialogLoad);
  if (!dialog) return;
  const part = link.dataset.dialogSelect ?? "main form";
  await window.htmx.ajax("GET", link.href, { target: dialog, swap: "innerHTML", select: part, push: "false" });
  if (dialog.querySelector("form, .dialog-body")) open(dialog);
  else window.location.assign(link.href);
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

document.addEventListener("janela:close-dialog", () => [...document.querySelectorAll("dialog:modal")].pop()?.close());

function openArrivals(root) {
  for (const dialog of root.querySelectorAll("dialog[data-open]")) open(dialog);
}
openArrivals(document);
document.addEventListener("htmx:after:swap", () => openArrivals(document));
