// A request that failed leaves the page as it is and says so in a toast: no answer, none in time, or one that is not ours.
//
// Refusals of our own server come with their words (error.rs) and are swapped like any other answer. An answer in which the
// asked-for part is missing (a proxy's error page) is never swapped: it would take away the form and what was typed in it.
// Live refetches fail without a toast: the bar #offline tells of the connection. The words are data-* of #toasts.
import { toast } from "./toast.js";

function isLive(ctx) {
  return /^(janela|every|load)/.test(ctx.sourceEvent?.type ?? "");
}

function tell(ctx, how) {
  if (!isLive(ctx)) toast(document.getElementById("toasts")?.dataset[how], "error", ctx.sourceElement);
}

document.addEventListener("htmx:error", (event) => {
  const ctx = event.detail?.ctx;
  if (!ctx?.request) return;
  if (ctx.request.signal?.reason === "timeout") tell(ctx, "late");
  else tell(ctx, ctx.response ? "broken" : "unreached");
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  if (!ctx?.response || ctx.swap === "none") return;
  const main = tasks.find((task) => task.type === "main");
  const lacksPart = Boolean(ctx.select) && main?.fragment.childElementCount === 0;
  if (ctx.response.status < 500 && !lacksPart) return;
  event.preventDefault();
  if (!ctx.hx?.trigger) tell(ctx, "broken");
});
