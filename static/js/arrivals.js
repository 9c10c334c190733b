// Arrivals: who wrote is said once, politely, in the live region #arrivals; what was written is not.
//
// The live event `arrival` names the conversation; the words are the data-arrived of its row (#row-1-42) or of its open
// thread ([data-conversation="1-42"]). A conversation that is new to the list is waited for; one that never comes is not
// the reader's.
const WAITED_FOR = 5_000;
const SAID_FOR = 10_000;

/** The ids of messages that were told of. */
const told = new Set();
/** Conversations whose row is not here yet, and since when. */
const awaited = new Map();

function words(conversation) {
  const row = document.getElementById(`row-${conversation}`);
  const place = row ?? document.querySelector(`[data-conversation="${CSS.escape(conversation)}"]`);
  return place?.dataset.arrived;
}

/** Says that `conversation` has something new; false while its name is not known here. */
function say(conversation) {
  const region = document.getElementById("arrivals");
  const text = words(conversation);
  if (!region || !text) return false;
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), SAID_FOR);
  return true;
}

document.body.addEventListener("janela:arrival", ({ detail }) => {
  if (detail.conversation === undefined || told.has(detail.id)) return;
  told.add(detail.id);
  if (!say(detail.conversation)) awaited.set(detail.conversation, Date.now());
});

document.addEventListener("htmx:after:swap", () => {
  for (const [conversation, since] of awaited) {
    const isLate = WAITED_FOR < Date.now() - since;
    if (isLate || say(conversation)) awaited.delete(conversation);
  }
});
