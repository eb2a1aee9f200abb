/**
 * The panels of the verbs: opened by key in the current row, or in the bar for the selected ones.
 * While one is open its keys come first: digits choose, Enter sends, Escape closes; no letter decides anything.
 */
import { cannot, early } from "./acts.js";
import { bind, intercept, single } from "./keys.js";
import { renew } from "./overtaken.js";
import { $, $$, current, rowOf, steady } from "./rows.js";
import { during, reads } from "./swaps.js";

const isBulk = () => document.body.classList.contains("is-bulk");
const inLive = () => document.activeElement?.closest("#live .panel-slot");
const slot = () => inLive() ?? (isBulk() ? $("#panel-many") : current() && $(":scope > .panel-slot", current()));
const opened = () => slot() && $(".why", slot());

let coming = null, asked = null;  // keys pressed since a panel was asked for, and the request for it

function open(verb) {
  const within = isBulk() ? $("#bulk") : current();
  if (!within || opened() || (!isBulk() && early())) return;
  const door = $(`[data-panel="${verb}"]`, within);
  if (!door) return cannot();
  coming = [];
  door.click();
  if (!asked) coming = null;
}

/** Who does not want to wait for a panel any longer. */
function forget() {
  coming = null;
  window.htmx.trigger(asked.elt, "htmx:abort");
}

bind("block_reason", () => open("block"));
bind("schedule", () => open("schedule"));
bind("context", () => open("annotate"));
bind("move", () => open("move"));

/** Nothing stays in its place: the space around it would keep an empty line of the bar open. */
function takeOut(panel) {
  const place = panel.closest(".panel-slot");
  if (place) place.replaceChildren();
  else panel.remove();
}

function close(panel) {
  const entry = panel.closest("[data-live]"), row = panel.closest(".row") ?? current();
  if (entry) {
    takeOut(panel);
    $("summary", entry).focus({ preventScroll: true });
    return window.htmx.trigger("#live", "published");  // it was not drawn anew meanwhile
  }
  if (!row) return takeOut(panel);
  steady(row, () => takeOut(panel));
  if (renew(row)) return;
  row.focus({ preventScroll: true });
}

/* Keys */

const WRITING = "textarea, select, input:not([type=checkbox], [type=radio])";

function choose(panel, digit) {
  const one = $(`[data-digit="${digit}"]`, panel);
  if (!one) return;
  if (!one.matches("input")) return one.click();
  one.checked = true;
  one.focus({ preventScroll: true });
  one.dispatchEvent(new Event("change", { bubbles: true }));
}

const DO = {
  Escape: close,
  Enter: (panel) => $("[data-presses]", panel)?.click(),
};

intercept((told, { target }) => {
  const panel = opened();
  if (coming && !panel && !target.closest(WRITING)) return told === "Escape" ? forget() ?? true : Boolean(coming.push(told));
  if (!panel || (target.closest(WRITING) && !panel.contains(target))) return false;
  if (told === "Enter" && target.closest("button, a, summary")) return false;
  if (target.closest(WRITING) && !DO[told]) return false;
  return press(panel, told);
});

/** Whether a key was the panel's. */
function press(panel, told) {
  if (DO[told]) DO[told](panel);
  else if (/^\d$/.test(told) && single) choose(panel, told);
  else return /^(Shift\+)?\p{L}$/u.test(told);
  return true;
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-closes-panel]")) close(target.closest(".why"));
  const filler = target.closest("[data-fills]");
  if (!filler) return;
  const field = document.getElementById(filler.dataset.fills);
  field.value = filler.dataset.with;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus({ preventScroll: true });
});

/* What follows the typing: how many characters, and how the words will stand on phones. */

document.addEventListener("input", ({ target }) => {
  for (const count of $$(`[data-counts="${target.id}"]`)) count.textContent = `${target.value.length}/${target.maxLength}`;
  for (const mirror of $$(`[data-mirrors="${target.id}"]`)) mirror.textContent = target.value;
});

/* Where one stands in a panel that came: at what is wrong, else at its first field. */

const FIRST = "input:not([type=hidden]), button, select";

function enter(panel) {
  const wrong = $("[aria-invalid]", panel);
  const field = wrong?.matches("fieldset") ? $(FIRST, wrong) : wrong ?? $("input:checked", panel) ?? $(FIRST, panel);
  field?.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

/** What was pressed before the panel had come. */
function catchUp(panel) {
  const keys = coming ?? [];
  coming = null;
  for (const told of keys) if (panel.isConnected) press(panel, told);
}

/** However a panel was asked for, what is pressed before it has come is its own. */
during("sending", "panel", ({ target, requestConfig }) => {
  if (!target.matches(".panel-slot") || !reads(requestConfig)) return;
  asked = requestConfig;
  coming ??= [];
});

/** A refused form comes back within its row. */
during("over", "panel", ({ target, requestConfig: config }) => {
  const refused = () => [...(config.marked ?? []).map(rowOf), slot()].filter(Boolean).map((at) => $(".why", at)).find(Boolean);
  const came = target.matches(".panel-slot"), panel = !config.swapped ? null : came ? $(".why", target) : !reads(config) && refused();
  if (panel) enter(panel);
  if (config !== asked) return;
  if (panel) catchUp(panel);
  coming = asked = null;
});
