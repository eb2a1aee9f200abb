/** The live column: what one has open there stays open while it is read anew, and entries are dragged to slots. */

import { actOf, intercept, WRITING } from "./keys.js";
import { hear } from "./news.js";
import { $, $$ } from "./rows.js";
import { during } from "./swaps.js";

const column = $("#live");
const entries = () => $$("[data-live]", column);
let kept = null, moved = -Infinity;

/* What one looks at outlives the column's renewal. A panel that is being filled in is not taken away at all, nor is a
 * form on its way: its answer would find no place, and brings the renewal itself. */

during("arriving", "live", (detail) => {
  if (detail.target !== column || !detail.shouldSwap) return;
  if ($("form[data-panel-of], form.htmx-request", column)) {
    detail.requestConfig.replaced = true;  // by the one at its end, which is no failure
    return (detail.shouldSwap = false);
  }
  const at = document.activeElement, entry = column.contains(at) && at.closest("[data-live]");
  kept = {
    top: $(".scroll", column)?.scrollTop ?? 0,
    open: $$("details[open]", column).map((one) => one.closest("[data-live]").id),
    focus: entry && { id: entry.id, what: at.dataset.do, at: entries().indexOf(entry) },
  };
});

during("over", "live", ({ target }) => {
  if (target !== column || !kept) return;
  for (const entry of kept.open.map((id) => document.getElementById(id)).filter(Boolean)) $("details", entry).open = true;
  if ($(".scroll", column)) $(".scroll", column).scrollTop = kept.top;
  if (kept.focus) comeBack(kept.focus);
  kept = null;
});

/** To the button one was at; where its entry is gone, to the one that stands there now. */
function comeBack({ id, what, at }) {
  const same = document.getElementById(id), entry = same ?? entries()[at] ?? entries().at(-1);
  const there = entry && ((same && $(`[data-do="${what}"]:not(:disabled)`, entry)) ?? $("summary", entry));
  there?.focus({ preventScroll: true });
  if (!same) moved = performance.now();
}

/* Who stands on an entry means that entry: no key there decides about the queue. */

const HERE = { block: "block", block_reason: "block panel", schedule: "schedule panel", context: "annotate panel", move: "move panel" };
const ELSEWHERE = ["approve", "pin", "skip", "select", "extend", "extend_next", "extend_previous", "open"], GLANCE = 300;

intercept((told, { target, repeat }) => {
  const entry = target.closest("[data-live]"), act = actOf(told);
  if (!entry || target.closest(`${WRITING}, .panel-slot`) || !(act in HERE || ELSEWHERE.includes(act))) return false;
  if (!repeat && !$(".why", entry) && performance.now() - moved > GLANCE) $(`[data-do="${HERE[act]}"]`, entry)?.click();
  return true;
});

/** Whoever pauses and goes on asks at once. */
hear("feed", () => {
  for (const ticker of $$("#phone telekom-ticker")) ticker.toggleAttribute("paused"), ticker.toggleAttribute("paused");
});

/** One menu at a time. */
column.addEventListener("toggle", ({ target }) => {
  if (target.open) for (const other of $$("details[open]", column)) if (other !== target && !other.contains(target)) other.open = false;
}, true);

/* Dragging to a slot is pinning there; whoever holds it changes places. */

let dragged = null;

const slotAt = (target) => target.closest("[data-slot]");

column.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-live]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.live);
  dragged.classList.add("is-dragged");
});

column.addEventListener("dragover", (event) => {
  const slot = dragged && slotAt(event.target);
  for (const other of $$(".is-over", column)) if (other !== slot) other.classList.remove("is-over");
  if (!slot || slot === dragged) return;
  event.preventDefault();
  slot.classList.add("is-over");
});

column.addEventListener("dragend", () => {
  for (const one of $$(".is-over, .is-dragged", column)) one.classList.remove("is-over", "is-dragged");
  dragged = null;
});

column.addEventListener("drop", (event) => {
  const slot = dragged && slotAt(event.target), form = dragged && $("form", dragged);
  if (!slot || !form || slot === dragged) return;
  event.preventDefault();
  const values = { swap: slot.dataset.slot };
  window.htmx.ajax("POST", form.getAttribute("action"), { source: form, target: "#strip", swap: "outerHTML", values }).catch(() => {});
});
