// Keeps the pages live: fetches a part again when an event says it changed, sends forms without leaving the page, and
// shows instants in the reader's own time zone. Everything works without it, only less lively.

const phone = document.querySelector("[data-phone]")?.dataset.phone;
const toast = document.getElementById("toast");

// -- Instants --------------------------------------------------------------------------------------------------------

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const shortDayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const nowFormat = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

const nowElement = document.querySelector("[data-now]");
let aheadMs = Date.parse(nowElement.dateTime) - Date.now();
const sandboxNow = () => new Date(Date.now() + aheadMs);
const sameDay = (a, b) => a.toDateString() === b.toDateString();

function showNow() {
  nowElement.textContent = nowFormat.format(sandboxNow());
}

async function readClock() {
  const answer = await fetch("/control/clock");
  if (answer.ok) aheadMs = Date.parse((await answer.json()).now) - Date.now();
  showNow();
  showTimes(document);
}

function showTimes(root) {
  const now = sandboxNow();
  for (const time of root.querySelectorAll("time[data-clock], time[data-brief], time[data-full]")) {
    const at = new Date(time.dateTime);
    time.title = fullFormat.format(at);
    if ("full" in time.dataset) time.textContent = fullFormat.format(at);
    else if ("clock" in time.dataset || sameDay(at, now)) time.textContent = clockFormat.format(at);
    else time.textContent = shortDayFormat.format(at);
  }
}

// Puts the day above the first message of each day.
function showDays(root) {
  let last = null;
  for (const bubble of root.querySelectorAll(".thread .bubble")) {
    const at = new Date(bubble.querySelector("time[data-clock]").dateTime);
    if (last === null || !sameDay(at, last)) {
      const day = document.createElement("p");
      day.className = "day";
      day.textContent = sameDay(at, sandboxNow()) ? "Today" : dayFormat.format(at);
      const before = bubble.previousElementSibling;
      (before?.classList.contains("sender") ? before : bubble).before(day);
    }
    last = at;
  }
}

// -- Parts that change -------------------------------------------------------------------------------------------------

const shown = new Map();

// Fetches a part again; leaves it alone when nothing changed, and keeps focus and scroll where they were.
async function refresh(id, address) {
  const part = document.getElementById(id);
  if (!part) return;
  const answer = await fetch(address);
  if (!answer.ok) return;
  const text = await answer.text();
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const thread = part.querySelector(".thread");
  const wasAtEnd = thread ? thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80 : false;
  const top = thread ? thread.scrollTop : part.scrollTop;
  part.innerHTML = text;
  dress(part);
  const next = part.querySelector(".thread");
  if (next) next.scrollTop = wasAtEnd ? next.scrollHeight : top;
  else part.scrollTop = top;
  if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
}

function nameOf(element) {
  if (element.getAttribute("href")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const action = element.closest("form")?.getAttribute("action");
  if (action && element.closest("article")) return `#${CSS.escape(element.closest("article").id)} button`;
  if (action) return `form[action^="${action.replace(/[^/]*$/, "")}"] button`;
  return element.classList.contains("thread") ? ".thread" : null;
}

function dress(root) {
  showDays(root);
  showTimes(root);
}

function refreshList() {
  const query = new URLSearchParams({ q: document.querySelector("[data-search] input")?.value ?? "" });
  if (phone) query.set("selected", phone);
  return refresh("list", `/phones/_list?${query}`);
}

const refreshChat = () => (phone ? refresh("chat", `/phones/${phone}/_chat`) : undefined);
const refreshMails = () => refresh("mails", "/mailbox/_list");

// Many events in a row cause one look.
function soon(look) {
  let timer = null;
  return () => {
    timer ??= setTimeout(async () => {
      timer = null;
      await look();
    }, 60);
  };
}

const listSoon = soon(refreshList);
const chatSoon = soon(refreshChat);
const mailsSoon = soon(refreshMails);
const allSoon = () => { listSoon(); chatSoon(); mailsSoon(); };

const events = new EventSource("/events");
let wasLost = false;
events.addEventListener("phone", (event) => { listSoon(); if (event.data === phone) chatSoon(); });
events.addEventListener("mail", mailsSoon);
events.addEventListener("clock", () => { readClock(); allSoon(); });
events.addEventListener("all", allSoon);
events.addEventListener("error", () => { wasLost = true; say("Connection lost. Trying again.", true); });
events.addEventListener("open", () => {
  if (!wasLost) return;
  wasLost = false;
  say("");
  readClock();
  allSoon();
});

// -- Forms ---------------------------------------------------------------------------------------------------------------

let toastTimer = null;
function say(text, stays = false) {
  toast.textContent = text;
  clearTimeout(toastTimer);
  if (text && !stays) toastTimer = setTimeout(() => { toast.textContent = ""; }, 4000);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !("stay" in form.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "X-Outcome": "1" } });
  if (!answer.ok) {
    say(await answer.text());
    return;
  }
  const next = answer.headers.get("X-Location");
  if (next) {
    location.assign(next);
    return;
  }
  if ("clear" in form.dataset) {
    const field = form.elements.namedItem("text");
    field.value = "";
    grow(field);
    field.focus();
    await refreshChat();
    toEnd();
  }
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  const sends = field instanceof HTMLTextAreaElement && "enterSends" in field.dataset;
  if (!sends || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  field.form.requestSubmit();
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-search] input")) listSoon();
  if (event.target.matches("[data-enter-sends]")) grow(event.target);
});

// As many lines as the text has, up to six.
function grow(field) {
  field.rows = Math.min(6, field.value.split("\n").length);
}

function toEnd() {
  const thread = document.querySelector(".thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
}

// -- Start ---------------------------------------------------------------------------------------------------------------

dress(document);
showNow();
setInterval(showNow, 1000);
toEnd();
