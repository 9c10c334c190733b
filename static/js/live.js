// Live updates: one EventSource per page on /events, and DOM events from it.
//
// <body data-live="/events"> switches it on. An event `conversation` with data `{"id": 42}` becomes two DOM events on
// the body, `janela:conversation` and `janela:conversation-42`, so that an element with
// hx-trigger="janela:conversation-42 from:body" fetches its fragment anew. With `"conversation": "1-42"` in its data it
// also becomes `janela:thread-1-42` and `janela-row:1-42`. `clock` (data `{"now": ISO}`) moves the page's clock as well.
// After a lost connection, or when the server says `resync`, everything that listens to live events refetches: each
// name listened to on this page is sent once. Rows (`janela-row:`) come with their list.
import { setNow } from "./now.js";

/** Names the server may send. An EventSource hears only those it asks for. */
const NAMES = ["conversation", "conversations", "arrival", "message", "seen", "gate", "presence", "active-messages", "jobs", "number", "counts"];
const SHOW_LOST_AFTER = 3_000;
const HIDE_BACK_AFTER = 2_500;

let source;
let wasLost = false;
let timer;

function send(name, detail = {}) {
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
}

/** The body of an event, `{}` when it has none; a broken one is reported and taken for `{}`. */
function parse(data) {
  if (!data) return {};
  try {
    return JSON.parse(data);
  } catch (error) {
    console.error("unreadable live event", error);
    return {};
  }
}

/** Sends every live event name that an element of this page listens to. */
function refetchAll() {
  const names = new Set(["janela:resync"]);
  for (const element of document.querySelectorAll('[hx-trigger*="janela:"]')) {
    for (const [name] of element.getAttribute("hx-trigger").matchAll(/janela:[\w-]+/g)) names.add(name);
  }
  for (const name of names) send(name, { resync: true });
}

/** Shows the bar: `lost`, `back`, or nothing. Its words are its data-lost and data-back. */
function showState(state) {
  const bar = document.getElementById("offline");
  if (!bar) return;
  if (state) {
    bar.dataset.state = state;
    bar.textContent = bar.dataset[state] ?? "";
  } else {
    delete bar.dataset.state;
    bar.textContent = "";
  }
}

function opened() {
  clearTimeout(timer);
  if (!wasLost) return;
  wasLost = false;
  refetchAll();
  const shown = document.getElementById("offline")?.dataset.state === "lost";
  if (!shown) return;
  showState("back");
  timer = setTimeout(() => showState(null), HIDE_BACK_AFTER);
}

function lost() {
  if (!wasLost) {
    wasLost = true;
    timer = setTimeout(() => showState("lost"), SHOW_LOST_AFTER);
  }
  // The browser retries by itself, except after an answer that is no stream (a restart behind a proxy, a sign-out).
  if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2_000 + Math.random() * 3_000);
}

// The browser knows a lost network before the stream does.
window.addEventListener("offline", () => showState("lost"));
window.addEventListener("online", () => showState(null));

function connect() {
  source?.close();
  source = new EventSource(document.body.dataset.live);
  source.addEventListener("open", opened);
  source.addEventListener("error", lost);
  source.addEventListener("resync", refetchAll);
  source.addEventListener("clock", (event) => {
    const detail = parse(event.data);
    setNow(detail.now);
    send("janela:clock", detail);
    refetchAll();
  });
  for (const name of NAMES) {
    source.addEventListener(name, (event) => {
      const detail = parse(event.data);
      send(`janela:${name}`, detail);
      if (detail.id !== undefined) send(`janela:${name}-${detail.id}`, detail);
      if (detail.conversation === undefined) return;
      send(`janela:thread-${detail.conversation}`, detail);
      send(`janela-row:${detail.conversation}`, detail);
    });
  }
}

if (document.body.dataset.live) {
  connect();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    wasLost = true;
    connect();
  });
}
