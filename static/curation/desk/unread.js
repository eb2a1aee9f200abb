/** What could not be read says so where it was asked for, and can be tried again. All else stays as it is. */

import { $, current, steady } from "./rows.js";
import { during, isLogIn, reads } from "./swaps.js";

/* Where it is said, by what was to be filled; else in its own place. What is asked for by the clock is quiet, unless it will never be answered. */
const SAID_AT = { main: ".filters", rows: ".filters", changes: "#strip p", "recent-acts": "#recent[open] #recent-acts, #strip p" };
const FOR_GOOD = ["logged-out", "someone-else"];

const asking = new WeakMap();

const placeOf = (target) => $(SAID_AT[target.id] ?? "#nowhere") ?? target.closest(".alikes") ?? target;

function why(xhr) {
  if (isLogIn(xhr)) return "logged-out";
  if (xhr.status === 401) return "someone-else";
  if ([403, 404].includes(xhr.status)) return "forbidden";
  return [0, 502, 503, 504].includes(xhr.status) ? "lost" : "failed";
}

function say(place, note) {
  const row = place.closest("#main") && current(), old = $(":scope > .unread", place);
  const change = () => (old ? old.replaceWith(note) : place.append(note));
  row ? steady(row, change) : change();
}

during("over", "unread", ({ xhr, target, requestConfig: config }) => {
  if (!reads(config) || !target.isConnected || config.replaced) return;
  const place = placeOf(target), old = $(":scope > .unread", place);
  if (config.swapped || xhr.status === 204) return old?.remove();
  const note = $(`template[data-unread="${why(xhr)}"]`)?.content.cloneNode(true).firstElementChild;
  if (!note || (target.id === "changes" && (old || !FOR_GOOD.includes(why(xhr))))) return;
  say(place, note);
  asking.set(note, { asker: config.elt, path: config.path, target });
});

/** Asks as it was asked before; a link that was drawn anew meanwhile is known by its address. */
function again({ asker, path, target }) {
  const there = asker.isConnected ? asker : $(`a[href="${CSS.escape(asker.getAttribute("href") ?? "")}"]`);
  if (there?.matches("form")) return there.requestSubmit();
  if (there?.matches("a, button")) return there.click();
  const swap = there?.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
  if (there) window.htmx.ajax("GET", path, { source: there, target, swap }).catch(() => {});  // said anew
}

document.addEventListener("click", ({ target }) => {
  const note = target.closest("[data-again]") && target.closest(".unread");
  if (note) again(asking.get(note));
});
