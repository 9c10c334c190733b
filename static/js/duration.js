// Remaining time in words, cut to the minute (CL-04). The words come from the element, so every language has its own:
//   data-day="{d} d {h} h"  data-hour="{h} h {m} min"  data-minute="{m} min"  data-under="less than 1 min"
//   data-short-hours="{h} h"  data-short-hour="{h} h {m}"   (lists: minutes matter only in the last hours)

const MINUTE = 60_000;

function fill(pattern, values) {
  return (pattern ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** `milliseconds` left as `17 h 00 min`; from 24 h on `4 d 18 h`; below an hour `12 min`; below a minute data-under. */
export function longLeft(milliseconds, words) {
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 1) return words.under ?? "";
  const hours = Math.floor(minutes / 60);
  if (24 <= hours) return fill(words.day, { d: Math.floor(hours / 24), h: hours % 24 });
  if (hours < 1) return fill(words.minute, { m: minutes });
  return fill(words.hour, { h: hours, m: String(minutes % 60).padStart(2, "0") });
}

/** The same, short: `22 h`, and `1 h 12` once fewer than `precise` minutes are left. */
export function shortLeft(milliseconds, words, precise) {
  const minutes = Math.floor(milliseconds / MINUTE);
  const hours = Math.floor(minutes / 60);
  if (hours < 1 || 24 <= hours) return longLeft(milliseconds, words);
  if (precise < minutes) return fill(words.shortHours, { h: hours });
  return fill(words.shortHour, { h: hours, m: String(minutes % 60).padStart(2, "0") });
}

export { fill };
