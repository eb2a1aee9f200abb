/**
 * Who else is here, and what they look at. Said when one stands elsewhere, at most once a second, and now and then as a
 * sign of life, while the page is seen; what is old is forgotten.
 */

import { hear } from "./news.js";
import { $, $$, current, rowOf } from "./rows.js";
import { during } from "./swaps.js";

const PAUSE = 600, APART = 1_000, BEAT = 20_000, FORGOTTEN = 45_000;
const { here, person } = document.body.dataset;
const others = new Map();
let soon, anew = true, said = { candidate: null, at: 0 };

const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
const told = (candidate) => new URLSearchParams({ candidate, csrfmiddlewaretoken: token() });

function tell() {
  const candidate = current()?.dataset.candidate ?? "0";
  if (document.hidden || (candidate === said.candidate && !anew)) return;
  [said, anew] = [{ candidate, at: Date.now() }, false];
  fetch(here, { method: "POST", body: told(candidate), headers: { "X-Person": person }, keepalive: true }).catch(() => {});
}

/** Says it soon; several wishes become one. */
function plan(pause = 0) {
  clearTimeout(soon);
  soon = setTimeout(tell, Math.max(pause, said.at + APART - Date.now()));
}

/** Says it also where nothing is new: somebody does not know it, or begins to forget. */
function remind() {
  anew = true;
  plan();
}

function sign({ who }, { short = false } = {}) {
  const made = $("template[data-here]").content.cloneNode(true).firstElementChild;
  const face = $(".face", made), words = $(".sr", made);
  face.textContent = who.initials;
  face.classList.add(`p${(who.id % 5) + 1}`);
  face.title = who.name;
  words.textContent = short ? who.name : words.dataset.words.replace("…", who.name);
  return short ? [face, words] : [made];
}

/** Draws the faces anew: beside the rows that others look at, and all of them above the queue. */
function draw() {
  for (const [id, one] of others) if (Date.now() - one.at > FORGOTTEN) others.delete(id);
  for (const old of $$(".row .here")) old.remove();
  const faces = [...others.values()];
  $("#faces")?.replaceChildren(...faces.flatMap((one) => sign(one, { short: true })));
  for (const one of faces) {
    const row = rowOf(one.candidate);
    if (row && !row.classList.contains("is-decided")) $(".row__age", row).prepend(...sign(one));
  }
}

hear("presence", ({ who, candidate }) => {
  if (String(who.id) === person) return;
  const known = others.has(who.id);
  if (candidate) others.set(who.id, { who, candidate, at: Date.now() });
  else others.delete(who.id);
  if (!known && candidate) remind();
  draw();
});

document.addEventListener("stood", () => plan(PAUSE));
during("over", "faces", ({ target }) => target.closest("#live, #phone") || draw());
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(soon) : remind()));
addEventListener("pagehide", () => navigator.sendBeacon(here, told(0)));
setInterval(() => document.hidden || (remind(), draw()), BEAT);
