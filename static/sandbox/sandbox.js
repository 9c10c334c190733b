// Keeps the pages live: fetches a part again when an event says it changed, and sends forms without leaving the page.
// The server writes every word and instant; everything works without this script, only less lively.

const open = document.querySelector("[data-phone]");
const phone = open?.dataset.phone;
const { run, lost, back } = document.body.dataset;

// -- Parts that change -------------------------------------------------------------------------------------------------

const shown = new Map();

// Fetches a part again; leaves it alone when nothing changed, and keeps focus and scroll where they were.
async function refresh(id, address) {
  const part = document.getElementById(id);
  if (!part) return;
  const answer = await fetch(address).catch(() => null);
  // A phone that is unknown by now says so; other failures leave what is there.
  if (!answer || !(answer.ok || answer.status === 404)) return;
  const text = await answer.text();
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const thread = part.querySelector(".thread");
  const wasAtEnd = thread ? thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80 : false;
  const top = thread ? thread.scrollTop : part.scrollTop;
  const before = new Set([...part.querySelectorAll(".bubble")].map((bubble) => bubble.id));
  part.innerHTML = text;
  for (const bubble of part.querySelectorAll(".bubble")) {
    if (before.size > 0 && !before.has(bubble.id)) bubble.classList.add("new");
  }
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

function refreshList() {
  const query = new URLSearchParams({ q: document.querySelector("[data-search] input")?.value ?? "" });
  if (phone) query.set("selected", phone);
  return refresh("list", `/phones/_list?${query}`);
}

function refreshChat() {
  if (!phone) return undefined;
  return refresh("chat", `/phones/${phone}/_chat?${new URLSearchParams({ with: open.dataset.with })}`);
}

function refreshMails() {
  const mail = document.getElementById("mails")?.dataset.mail;
  return refresh("mails", `/mailbox/_list${mail ? `?selected=${mail}` : ""}`);
}

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
const allSoon = () => { listSoon(); chatSoon(); mailsSoon(); refresh("clock", "/clock"); };

const events = new EventSource("/events");
let isLost = false;
events.addEventListener("phone", (event) => { listSoon(); if (event.data === phone) chatSoon(); });
events.addEventListener("mail", mailsSoon);
events.addEventListener("clock", allSoon);
events.addEventListener("all", allSoon);
events.addEventListener("error", () => { isLost = true; say(lost, true); });
// The first word of every connection: what happened meanwhile is fetched; after a restart, the whole page.
events.addEventListener("run", (event) => {
  if (event.data !== run) {
    location.reload();
    return;
  }
  if (isLost) say(back);
  isLost = false;
  allSoon();
});

// The clock shows minutes: it is looked at again as each begins, and what it calls today with it.
function minuteBegins() {
  const at = Date.parse(document.getElementById("now").dateTime);
  const left = 60_000 - (at % 60_000) + 50;
  setTimeout(async () => {
    await refresh("clock", "/clock");
    listSoon();
    minuteBegins();
  }, left);
}

// -- Forms ---------------------------------------------------------------------------------------------------------------

const toast = document.getElementById("toast");
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
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const request = { method: "POST", body, headers: { "X-Outcome": "1" } };
  const answer = await fetch(form.getAttribute("action"), request).catch(() => null);
  delete form.dataset.sending;
  if (!answer) {
    say(lost);
    return;
  }
  say(await answer.text());
  if (!answer.ok) return;
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

minuteBegins();
toEnd();
