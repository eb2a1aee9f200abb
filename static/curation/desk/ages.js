/** How long ago something was posted goes on being true while the page stands: by the server's clock, in its words. */

import { $$, current, steady } from "./rows.js";
import { during } from "./swaps.js";

const PACE = 15_000;
const units = $$("template[data-ages]").map((one) => [Number(one.dataset.ages), one.content.textContent]);
let ahead = 0;  // milliseconds by which the server's clock is ahead of this one

during("over", "ages", ({ xhr }) => {
  const told = Date.parse(xhr.getResponseHeader("Date") ?? "");
  if (told) ahead = told - Date.now();
});

function age(at) {
  const seconds = Math.max(0, Math.floor((Date.now() + ahead - at) / 1000));
  const [unit, words] = units.find(([least]) => seconds >= least) ?? units.at(-1);
  return words.replace("%(n)d", Math.floor(seconds / unit));
}

function renew() {
  for (const time of $$("time[data-age]")) {
    const said = age(Date.parse(time.dateTime));
    if (time.textContent !== said) time.textContent = said;
  }
}

const tick = () => document.hidden || (current() ? steady(current(), renew) : renew());

setInterval(tick, PACE);
document.addEventListener("visibilitychange", tick);
