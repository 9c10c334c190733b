// A thread stays at its end: <ol data-stick-to-end> shows the latest message when it opens and when one arrives,
// unless the reader has scrolled up.
const NEAR = 80;
const away = new WeakSet();

function stick() {
  for (const thread of document.querySelectorAll("[data-stick-to-end]")) {
    if (!away.has(thread)) thread.scrollTop = thread.scrollHeight;
  }
}

document.addEventListener("scroll", (event) => {
  const thread = event.target;
  if (!(thread instanceof Element) || !thread.matches("[data-stick-to-end]")) return;
  const distance = thread.scrollHeight - thread.scrollTop - thread.clientHeight;
  if (distance < NEAR) away.delete(thread);
  else away.add(thread);
}, { capture: true, passive: true });

document.addEventListener("htmx:after:swap", stick);
stick();
