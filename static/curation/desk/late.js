/** A refusal that comes when its row is not here any more: it stands at the foot, with what was asked and about whom,
 * until it is closed; in whichever desk of this tab is open by then. */

import { $, rowOf } from "./rows.js";
import { during } from "./swaps.js";

const { person } = document.body.dataset, MOST = 5;

/** What the tab keeps for this person, whatever page it shows. */
export function shelf(name) {
  const place = `${name} ${person}`;
  return {
    read: () => JSON.parse(sessionStorage.getItem(place) ?? "[]"),
    write: (all) => (all.length ? sessionStorage.setItem(place, JSON.stringify(all)) : sessionStorage.removeItem(place)),
  };
}

const unheard = shelf("unheard");
let away = false;  // whether this page is being left

/** From now on nobody may see what is said here. */
export const leave = () => (away = true);
addEventListener("pageshow", () => (away = false));

/** What was asked, and about whom, in the words of the page. */
export function asked(verb, rows, form) {
  const words = $(`template[data-asked="${verb}"]`)?.content.textContent ?? "";
  const one = form.closest("[data-live], .alike, .recent li") ?? (rows.length === 1 ? rowOf(rows[0]) : null);
  const whom = rows.length > 1 ? rows.length : one ? $("bdi", one)?.textContent : $("#undo", form)?.title;
  return [words, whom].filter(Boolean).join(" · ");
}

/** Whether nobody can have seen the answer in its row. */
export const isLate = ({ carried }) => carried || away;

export function tell(asked, why) {
  unheard.write([...unheard.read(), [asked, why].filter(Boolean).join(": ")].slice(-MOST));
  draw();
}

function draw() {
  const strip = $("#strip"), all = unheard.read();
  const old = $("#late"), key = JSON.stringify(all);
  if (!strip || (old?.dataset.says ?? "[]") === key) return;
  old?.remove();
  if (!all.length) return;
  const list = $("template[data-late]").content.cloneNode(true).firstElementChild, line = $("p", list);
  list.dataset.says = key;
  list.replaceChildren(...all.map((said) => {
    const one = line.cloneNode(true);
    $("span", one).textContent = said;
    return one;
  }));
  strip.before(list);
}

document.addEventListener("click", ({ target }) => {
  const line = target.closest("[data-heard]")?.closest("p");
  if (!line) return;
  unheard.write(unheard.read().filter((said) => said !== $("span", line).textContent));
  draw();
});

during("over", "late", draw);
draw();
