/** The rows: which one is current, which are selected, and that none moves under the eye. */

import { during } from "./swaps.js";

export const $ = (query, within = document) => within.querySelector(query);
export const $$ = (query, within = document) => [...within.querySelectorAll(query)];
export const rows = () => $$("#rows .row");
export const current = () => $("#rows .row.is-current");
export const picks = () => $$("#rows .pick input:checked");
export const rowOf = (id) => $(`#row-${id} .row`);
const scroller = () => $("#main .scroll");

/* The current row: it alone is open; what one looks at stays where it is on screen. */

const AHEAD = 15, SLOW = 50, EYE = 150, GLANCE = 300;  // rows; milliseconds
let standing = null, wanted = null, done = null;

const scrollBy = (pixels) => {
  const box = scroller();
  if (pixels) (box.scrollHeight > box.clientHeight ? box : document.scrollingElement).scrollTop += pixels;
};

/** Makes a change that keeps the row on its line. */
export function steady(row, change) {
  const before = row.getBoundingClientRect().top;
  change();
  scrollBy(row.getBoundingClientRect().top - before);
}

let pressed = 0, seen = 0, latest = 0;  // when a key or button went down; from when on, and surely, one knows the current row
let showing = 0, jumped = false;  // how often it changed; whether by itself

for (const down of ["keydown", "pointerdown"])
  document.addEventListener(down, ({ timeStamp }) => (pressed = timeStamp), { capture: true });

/** Why the key that is at work was meant for the row before, empty where it was not: nobody had seen the current one
 * when it was pressed, since it came by itself ("jumped") or was drawn late. */
export const unseen = () => (pressed >= seen ? "" : jumped ? "jumped" : "late");

/** A key that was held back may have a second one behind it: who pressed it has yet to look at the row that came. Who
 * goes on pressing has looked. */
export const linger = () => (seen = Math.max(seen, Math.min(pressed + GLANCE, latest)));

/** Who points at a row has seen it. */
function sure() {
  showing += 1;
  seen = 0;
}

/** From the frame on that draws it, one sees a row that one did not choose; and has looked at it a moment later. */
function show(glance) {
  const turn = ++showing;
  [seen, jumped] = [Infinity, glance > 0];
  requestAnimationFrame(() => setTimeout(() => {
    const now = performance.now(), late = now - pressed > SLOW;  // who waits for the answer may press the key again
    if (turn === showing) [seen, latest] = [now + (glance || (late ? EYE : 0)), now + 2 * GLANCE];
  }));
}

/** Whether somebody fills in a panel or another field: nothing but they themselves takes them away from it. A link that
 * was sent leads to its post. */
function writing() {
  const at = document.activeElement?.closest(".why, textarea, select, input:not([type=checkbox])");
  return Boolean(at && !at.closest("#by-link"));
}

/** Makes a row the current one; `itself`: not because somebody chose it just now. */
export function stand(row, { focus = true, itself = false } = {}) {
  const left = current(), elsewhere = row?.dataset.candidate !== standing;
  if (!row || (itself && elsewhere && writing())) return;
  steady(row, () => {
    if (left && left !== row) {
      left.classList.remove("is-current");
      left.removeAttribute("aria-current");
      left.tabIndex = -1;
    }
    row.classList.add("is-current");
    row.setAttribute("aria-current", "true");
    row.tabIndex = 0;
    standing = row.dataset.candidate;
    wanted = null;
    if (elsewhere) done = null;
  });
  if (focus) row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (elsewhere && itself) show(GLANCE);
  if (elsewhere) document.dispatchEvent(new CustomEvent("stood", { detail: { row: standing } }));
  if ($("#more") && rows().slice(-AHEAD).includes(row)) window.htmx.trigger("#more a", "near");
}

export function step(by) {
  const all = rows(), at = all.indexOf(current());
  stand(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

/** Stands on a row once it is there. */
export const want = (id) => (wanted = id);

/** The next row that nobody decided, else the one before. */
export function onward(from) {
  const all = rows(), at = all.indexOf(from), open = (row) => !row.classList.contains("is-decided");
  return all.slice(at + 1).find(open) ?? all.slice(0, at).reverse().find(open);
}

/** Goes on from a row that is done with; where no other is open, as soon as one comes. */
export function goOn(row, { itself = false } = {}) {
  const next = onward(row);
  if (!next) return (done = row.dataset.candidate);
  stand(next, { itself });
  if (!itself) show(0);
}

/* Selected rows; with Shift from the last one picked to this. */

let anchor = null;

const box = (row) => $(".pick input", row);

export function recount() {
  const chosen = picks();
  document.body.classList.toggle("is-bulk", chosen.length > 0);
  if ($("#picked")) $("#picked").textContent = chosen.length;
  for (const row of rows()) row.classList.toggle("is-picked", Boolean($(".pick input:checked", row)));
}

export function clear() {
  for (const pick of picks()) pick.checked = false;
  anchor = null;
  chose();
}

/** A panel for the selected ones ends with their selection: the next one is of other posts. */
function chose() {
  recount();
  if (!picks().length) $("#panel-many")?.replaceChildren();
}

export function pick(row, { extend = false } = {}) {
  if (!row || !box(row)) return false;
  const from = extend && anchor && rowOf(anchor);
  if (from) span(from, row);
  else box(row).checked = !box(row).checked;
  anchor = row.dataset.candidate;
  chose();
  return true;
}

/** Selects all rows from one to another that nobody decided. */
function span(from, to) {
  const all = rows(), [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  for (const row of all.slice(first, last + 1)) if (box(row)) box(row).checked = true;
}

/** One row further, selecting as any list does: from the last one picked to here; who turns back lets go again. */
export function reach(by) {
  const left = current(), from = rowOf(anchor) ?? left, all = rows(), away = (row) => Math.abs(all.indexOf(row) - all.indexOf(from));
  step(by);
  if (!picks().length) return;
  if (away(current()) < away(left) && box(left)) box(left).checked = false;
  span(from, current());
  anchor = from.dataset.candidate;
  recount();
}

document.addEventListener("click", ({ target, shiftKey }) => {
  const row = target.closest("#rows .row");
  if (!row) return;
  if (target.matches(".pick input")) {
    const from = shiftKey && anchor && rowOf(anchor);
    if (from) span(from, row);
    anchor = row.dataset.candidate;
    recount();
  }
  if (!row.classList.contains("is-current")) stand(row, { focus: false });
  sure();
});
document.addEventListener("focusin", ({ target }) => {
  const row = target.closest("#rows .row");
  if (row && row !== current() && target.matches(":focus-visible")) stand(row, { focus: false });
});
document.addEventListener("change", ({ target }) => target.matches(".pick input") && chose());
document.addEventListener("reset", ({ target }) => target.id === "bulk" && clear());

/* What one looks at stays on its line, whatever is swapped above it. */

let held = null;

/** What one opens oneself may push the rows down; another queue has none of them. */
during("arriving", "line", ({ target, shouldSwap }) => {
  const row = shouldSwap && !["by-link", "main"].includes(target.id) && (current() ?? rows()[0]);
  held = row ? { id: row.dataset.candidate, top: row.getBoundingClientRect().top } : null;
});

during("over", "line", () => {
  once();
  const row = held && rowOf(held.id);
  if (row) scrollBy(row.getBoundingClientRect().top - held.top);
  held = null;
  if (!current() && standing) stand(rowOf(standing), { focus: document.activeElement === document.body });
  if (wanted) stand(rowOf(wanted), { itself: true });
  if (done && done === current()?.dataset.candidate && current().classList.contains("is-decided")) goOn(current(), { itself: true });
  else done = null;
});

/** A row that came a second time, by another way, stays where it stands first. */
function once() {
  const seen = new Set();
  for (const row of $$("#rows > li")) seen.has(row.id) ? row.remove() : seen.add(row.id);
}

/** A post that waits again and has no row on this page is put below the others: there it moves none of them. */
during("homeless", "line", ({ content }) => {
  if (!content.matches("li[data-returned]")) return;
  $("#rows").insertBefore(content, $("#more"));
  window.htmx.process(content);
});
