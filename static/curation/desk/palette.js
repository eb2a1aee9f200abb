/** The palette: one field that leads anywhere. Its list comes from the server; what an option does stands on it. */

import { bind, can, perform } from "./keys.js";
import { $, $$, current, rowOf, stand } from "./rows.js";
import { during } from "./swaps.js";

const palette = $("#palette"), field = $("#palette-q"), told = $("#palette-told");
const options = () => $$("[role=option]", palette);
const active = () => $("[aria-selected=true]", palette);
let answered = null, pressed = false;  // the words that the list is for; whether Enter waits for the list of other words

function open() {
  if (palette.open) return;
  for (const menu of $$("details.me[open]")) menu.open = false;
  palette.showModal();
  field.select();
  stale();
  window.htmx.trigger(field, "opened");
}

/** The option that Enter takes: focus stays in the field, screen readers are told. */
function activate(option) {
  active()?.setAttribute("aria-selected", "false");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = answered === field.value ? options() : [], at = all.indexOf(active());
  if (all.length) activate(all[(at + by + all.length) % all.length]);
}

/** A list for other words than those that stand in the field: none of it can be taken by a key. */
function stale() {
  answered = null;
  pressed = false;
  activate(null);
}

/** Enter takes what is found for these words, as soon as it is. */
function enter() {
  if (answered === field.value) active()?.click();
  else if ($("[data-again]", palette)) $("[data-again]", palette).click();
  else pressed = true;
}

/** Whether this page can do what an option says. */
const offered = ({ dataset }) => !dataset.act || (can(dataset.act) && (!("needsRow" in dataset) || Boolean(current())));

function settle(words) {
  for (const option of options()) if (!offered(option)) option.remove();
  for (const group of $$(".palette__group", palette)) if (!$("[role=option]", group)) group.remove();
  const all = options();
  field.setAttribute("aria-expanded", String(all.length > 0));
  told.textContent = all.length ? `${told.dataset.some}: ${all.length}` : told.dataset.none;
  if (words !== field.value) return activate(null);
  answered = words;
  activate(all[0]);
  if (pressed && palette.open) active()?.click();
  pressed = false;
}

/** What was found for other words is not what one asked for now. */
function empty() {
  for (const old of $$("#palette-list > *, .palette__none", palette)) old.remove();
  $("#palette-list").hidden = true;
  field.setAttribute("aria-expanded", "false");
  told.textContent = "";
  stale();
}

/** Does what an option says; a link without more is left to the browser. */
function take({ dataset }) {
  const { act, row, language } = dataset;
  if (!act && !language && !rowOf(row)) return false;
  palette.close();
  if (act) perform(act);
  else if (language) $(`.tongues button[value="${language}"]`)?.click();
  else stand(rowOf(row));
  return true;
}

const KEYS = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Enter: enter,
};

if (palette) {
  bind("palette", open);
  palette.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const shuts = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    const work = shuts ? () => palette.close() : event.target === field && KEYS[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  });
  palette.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && !event.ctrlKey && !event.metaKey && take(option)) event.preventDefault();
    if (event.target === palette || event.target.closest("[data-shuts]")) palette.close();
  });
  palette.addEventListener("mousemove", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option && option !== active()) activate(option);
  });
  field.addEventListener("input", stale);
  palette.addEventListener("close", stale);
  during("over", "palette", ({ target, requestConfig: { swapped, replaced, parameters } }) => {
    if (target.id !== "palette-found" || replaced) return;
    swapped ? settle(parameters.q) : empty();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#open-palette") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
}
