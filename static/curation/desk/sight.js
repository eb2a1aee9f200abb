/** Nobody decides on a post that is out of sight: who scrolls away from the current row stands on one that is in view. */

import { $, current, rows, stand } from "./rows.js";

const SETTLED = 150, LEAST = 24;  // milliseconds; pixels of a row that make it one in sight

/** What can be seen of the queue: its box, or the window down to the bar at the thumb. */
function frame() {
  const box = $("#main .scroll"), bar = $("#rows .is-current .decide"), atThumb = bar && getComputedStyle(bar).position === "fixed";
  if (box.scrollHeight > box.clientHeight && getComputedStyle(box).overflowY !== "visible") return box.getBoundingClientRect();
  return { top: 0, bottom: atThumb ? bar.getBoundingClientRect().top : innerHeight };
}

function inSight(row, { top, bottom }) {
  const at = row.getBoundingClientRect();
  return Math.min(at.bottom, bottom) - Math.max(at.top, top) >= Math.min(LEAST, at.height);
}

function away(row) {
  return Boolean(row?.checkVisibility()) && !inSight(row, frame());
}

function follow() {
  const left = current();
  if (!away(left) || $("form[data-panel-of]", left)) return;
  const seen = frame(), open = rows().filter((row) => !row.matches(".is-decided") && inSight(row, seen));
  const next = open.find((row) => row.getBoundingClientRect().top >= seen.top) ?? open[0];
  if (next) stand(next, { focus: left.contains(document.activeElement), itself: true });
}

/** On a narrow page another column may be shown in the queue's place: whether it was, and the queue is brought back. */
export function unveiled() {
  const veiled = !$("#rows")?.checkVisibility();
  if (veiled) location.hash = "main";
  return veiled;
}

/** Whether the current row was out of sight. What is in sight then is stood on, or else it is brought back. */
export function strayed() {
  const left = current();
  if (left && unveiled()) return true;
  if (!away(left)) return false;
  follow();
  if (current() === left) stand(left, { focus: false });
  return true;
}

let settled = 0;

document.addEventListener("scroll", ({ target }) => {
  if (target !== document && !target.matches("#main .scroll")) return;
  clearTimeout(settled);
  settled = setTimeout(follow, SETTLED);
}, { capture: true, passive: true });
