/**
 * Whoever leaves while acts are on their way waits a moment for the answers: one that is refused keeps them here, where
 * it is said as always. What has no answer by then goes with them, and the next desk of this tab sends it again, with
 * its key: so it counts once, and says there what became of it.
 */

import { intercept, single, WRITING } from "./keys.js";
import { leave, shelf } from "./late.js";
import { bring, left, packed } from "./resend.js";
import { $ } from "./rows.js";
import { during, reads } from "./swaps.js";

const PATIENCE = 1_000;
const flying = new Set(), unanswered = shelf("unanswered");
let going = null;  // where one is about to go

function stay() {
  clearTimeout(going?.soon);
  going = null;
}

function go() {
  const { address } = going;
  stay();
  leave();
  location.assign(address);
}

/** Whether a click leads to another page, in this tab. */
function leads({ button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented }, link) {
  if (!link || defaultPrevented || button || ctrlKey || metaKey || shiftKey || altKey) return false;
  const elsewhere = link.pathname !== location.pathname || link.search !== location.search;
  return link.origin === location.origin && !link.target && !link.hasAttribute("download") && (elsewhere || !link.hash);
}

/** The last to hear it: whoever else has something to do with this click has done it. */
addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!flying.size || !leads(event, link)) return;
  event.preventDefault();
  $("dialog[open]")?.close();
  const since = going?.since ?? performance.now();
  stay();
  going = { address: link.href, since, soon: setTimeout(go, PATIENCE - (performance.now() - since)) };
});

/** Who is about to go means the page to come: no key decides here any more. Escape stays. */
intercept((told, { target }) => {
  if (!going || target.closest(WRITING)) return false;
  if (told === "Escape") stay();
  else if (single && /^\d$/.test(told)) $(`#categories [data-digit="${told}"]`)?.click();
  return true;
});

during("sending", "leaving", ({ requestConfig: config }) => !reads(config) && flying.add(config));
during("over", "leaving", ({ requestConfig: config }) => {
  if (!flying.delete(config) || !going) return;
  if (config.refused) stay();
  else if (!flying.size) go();
});

addEventListener("pagehide", () => {
  leave();
  unanswered.write([...left(), ...[...flying].map(packed).filter(Boolean)]);
});

function takeUp() {
  const acts = unanswered.read();
  unanswered.write([]);
  bring(acts);
}

addEventListener("pageshow", ({ persisted }) => persisted && takeUp());
takeUp();
