/** The one listener for keys. Acts have names; which key means which act stands on the body, as the person chose it. */

import { $ } from "./rows.js";

const REPEATING = new Set(["next", "previous", "extend_next", "extend_previous"]);
const ALWAYS = {
  ArrowDown: "next", ArrowUp: "previous", "Shift+ArrowDown": "extend_next", "Shift+ArrowUp": "extend_previous", Escape: "escape",
};
const chosen = JSON.parse(document.body.dataset.keys ?? "{}");
/** Whether the person works with single keys. */
export const single = Object.keys(chosen).length > 0;
const acts = Object.fromEntries(Object.entries(chosen).map(([act, key]) => [key, act]));
const doing = {}, first = [];

/** What an act does. */
export const bind = (act, work) => (doing[act] = work);

/** Whether this page has an act, and doing it without its key. */
export const can = (act) => act in doing;
export const perform = (act) => doing[act]?.();

/** Keys that something open takes before the desk does: `take(chord, event)` says whether it did. */
export const intercept = (take) => first.unshift(take);

/** The letter that is printed where it is Latin, else the place it has on a keyboard; with Shift "Shift+b",
 * and "Shift+ArrowUp" of an arrow. */
export function chord({ key, code, shiftKey }) {
  const latin = /^[a-z]$/i.test(key), placed = key.length === 1 && /\p{L}/u.test(key) && /^Key[A-Z]$/.test(code);
  if (!latin && !placed) return shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key;
  const letter = latin ? key.toLowerCase() : code.slice(3).toLowerCase();
  return shiftKey ? `Shift+${letter}` : letter;
}

const SHIFTED = { select: "extend", next: "extend_next", previous: "extend_previous", block: "block_reason" };

/** The act of a chord. With Shift, the keys that select and move extend, and the one that blocks asks why; no other letter
 * means with Shift what it means alone. */
export const actOf = (told) => ALWAYS[told] ?? acts[told] ?? SHIFTED[acts[told.replace(/^Shift\+/, "")]];

/* Who writes on where the field is gone presses no keys of the desk: until a click, Esc, or a pause. */

export const WRITING = "textarea, select, [contenteditable], input:not([type=checkbox])";
const PAUSE = 1_000, DONE = ["Enter", "Escape", "Tab"];
let field = null, wrote = 0;

function isStray({ target, key }) {
  const there = target.closest(WRITING), now = performance.now();
  if (there || DONE.includes(key)) field = DONE.includes(key) ? null : there;
  else if (field && (now - wrote > PAUSE || field.checkVisibility())) field = null;
  wrote = now;
  return Boolean(field && !there);
}

document.addEventListener("pointerdown", () => (field = null));

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing || $("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && doing.palette) {
    event.preventDefault();
    return doing.palette();
  }
  if (event.ctrlKey || event.metaKey) return;
  if (isStray(event)) return event.preventDefault();
  const told = chord(event);
  if (first.some((take) => take(told, event))) return event.preventDefault();
  if (event.target.closest(WRITING)) return;
  const digit = /^\d$/.test(told) && single && $(`#categories [data-digit="${told}"]`);
  const act = actOf(told), work = digit ? () => digit.click() : doing[act];
  if (!work || (event.repeat && !REPEATING.has(act))) return;
  event.preventDefault();
  work();
});
