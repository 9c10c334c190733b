// A thread stays at its end: <div data-stick-to-end="1-42"> shows the latest message, by its styles alone. Whoever has
// scrolled up stays where they are when something is put below; another conversation begins at its end.
const NEAR = 80;
/** Which conversation a thread shows. */
const shown = new WeakMap();
/** How far from its top a thread stands whose reader has scrolled up. */
const away = new WeakMap();

/** How far a thread can be scrolled. It is laid out from its end, so its place is 0 there and negative above. */
const reach = (thread) => thread.scrollHeight - thread.clientHeight;

function keep() {
  for (const thread of document.querySelectorAll("[data-stick-to-end]")) {
    const conversation = thread.dataset.stickToEnd;
    if (shown.get(thread) !== conversation) away.delete(thread);
    shown.set(thread, conversation);
    thread.scrollTop = away.has(thread) ? away.get(thread) - reach(thread) : 0;
  }
}

document.addEventListener("scroll", (event) => {
  const thread = event.target;
  if (!(thread instanceof Element) || !thread.matches("[data-stick-to-end]")) return;
  if (-thread.scrollTop < NEAR) away.delete(thread);
  else away.set(thread, reach(thread) + thread.scrollTop);
}, { capture: true, passive: true });

document.addEventListener("htmx:after:swap", keep);
keep();

// A refetch of the thread that waited for a click's request asks for what the thread shows by then, such as the message
// that is being answered.
document.addEventListener("htmx:before:request", (event) => {
  const ctx = event.detail?.ctx;
  if (ctx?.sourceElement?.id === "thread-pane") ctx.request.action = ctx.sourceElement.getAttribute("hx-get");
});
