/** Who else is here, and what they look at. Said every few seconds while a page is seen; what is old is forgotten. */

import { hear } from "./news.js";
import { $, $$, current, rowOf } from "./rows.js";

const PAUSE = 600, BEAT = 20_000, FORGOTTEN = 45_000;
const { here, person } = document.body.dataset;
const others = new Map();
let soon;

const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
const told = (candidate) => new URLSearchParams({ candidate, csrfmiddlewaretoken: token() });

function tell() {
  if (document.hidden) return;
  fetch(here, { method: "POST", body: told(current()?.dataset.candidate ?? 0), headers: { "X-Person": person }, keepalive: true })
    .catch(() => {});
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
  if (!known && candidate) tell();
  draw();
});

document.addEventListener("stood", () => {
  clearTimeout(soon);
  soon = setTimeout(tell, PAUSE);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => detail.target.closest?.("#live, #phone") || draw());
document.addEventListener("visibilitychange", tell);
addEventListener("pagehide", () => navigator.sendBeacon(here, told(0)));
setInterval(() => (tell(), draw()), BEAT);
