/** A row whose panel is being filled in is not drawn anew: the panel says what was done meanwhile, its end brings the row. */

import { $, picks, rowOf, stand } from "./rows.js";
import { during } from "./swaps.js";

const anew = new Map();  // the rows as they are by now, by the id of their place

const panelIn = (place) => place && $("form[data-panel-of]", place);
const versionIn = (place) => $("input[name=version]", place)?.value;

function tell(panel, row) {
  const note = $("template[data-overtaken]").content.cloneNode(true).firstElementChild, verdict = $(".verdict", row);
  if (verdict) note.append(verdict.cloneNode(true));
  $(".overtaken", panel)?.remove();
  $(".why__do", panel).before(note);
}

/** What one sent oneself is no news: that row waits for it. Nor is what a row says already, with why one was refused. */
during("placing", "overtaken", (detail) => {
  const { target, fragment } = detail, known = versionIn(target);
  if (known && known === versionIn(fragment) && $(".notes [role=alert]", target) && !$(".notes [role=alert]", fragment)) detail.shouldSwap = false;
  const panel = target.matches("#rows > li") && panelIn(target);
  if (!panel || $(".is-sent", target)) return;
  detail.shouldSwap = false;
  if (versionIn(fragment) === versionIn(panel)) return;
  anew.set(target.id, fragment.firstElementChild);
  tell(panel, fragment);
});

during("over", "overtaken", () => {
  for (const id of anew.keys()) if (!panelIn(document.getElementById(id))) anew.delete(id);
  if ($("#panel-many .why")) count($("#panel-many .why"));
});

/* Of the selected ones, whose panel is open, it says how many were decided meanwhile. */

const chosen = new WeakMap();
const isOver = (row) => row?.matches(".is-decided:not(.is-sent)");

function count(panel) {
  if (!chosen.has(panel)) chosen.set(panel, picks().map((pick) => pick.closest(".row").dataset.candidate));
  const gone = chosen.get(panel).filter((id) => isOver(rowOf(id))).length, old = $(".overtaken", panel);
  if (!gone) return;
  const note = old ?? $("template[data-overtaken-many]").content.cloneNode(true).firstElementChild;
  $("b", note).textContent = gone;
  if (!old) $(".why__do", panel).before(note);
}

/** Brings a row that changed while its panel was open; whether there was anything to bring. */
export function renew(row) {
  const place = row.closest("li"), now = anew.get(place.id);
  anew.delete(place.id);
  if (!now) return false;
  place.replaceWith(now);
  window.htmx.process(now);
  stand(rowOf(row.dataset.candidate));
  return true;
}
