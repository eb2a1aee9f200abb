/**
 * The desk: what its keys do, and what begins when it opens. Its parts stand in desk/.
 * Everything works without it: each act is a form that htmx sends or the browser does.
 */
import { cannot, decide, early, takeBack } from "./desk/acts.js";
import { bind } from "./desk/keys.js";
import { listen } from "./desk/news.js";
import "./desk/ages.js";
import "./desk/panel.js";
import "./desk/clock.js";
import "./desk/fold.js";
import "./desk/history.js";
import "./desk/leaving.js";
import "./desk/links.js";
import "./desk/live.js";
import "./desk/presence.js";
import "./desk/turn.js";
import "./desk/unread.js";
import { $, $$, clear, current, pick, picks, reach, recount, rowOf, rows, stand, step } from "./desk/rows.js";

bind("next", () => step(1));
bind("skip", () => step(1));
bind("previous", () => step(-1));
bind("approve", () => decide("approve"));
bind("pin", () => decide("pin"));
bind("block", () => decide("block"));
bind("undo", takeBack);
bind("select", () => early() || pick(current()) || cannot("not-now"));
bind("extend", () => early() || pick(current(), { extend: true }) || cannot("not-now"));
bind("extend_next", () => (picks().length && early()) || reach(1));
bind("extend_previous", () => (picks().length && early()) || reach(-1));
bind("open", () => early() || $("[data-act=open]", current() ?? document)?.click());
bind("history", () => $("#show-history")?.click());
bind("search", () => $("#q")?.select());
bind("help", () => $("#keys").showModal());
bind("escape", () => (document.body.classList.contains("is-bulk") || !$("#by-link").childElementCount ? clear() : shut()));
bind("live", () => goTo("live", "summary"));
bind("phone", () => goTo("phone", "button"));

/** To a column, which a narrow page shows only when it is asked for. */
function goTo(id, first) {
  const column = $(`#${id}`);
  if (!column.checkVisibility()) location.hash = id;
  ($(first, column) ?? $("button, [tabindex]", column))?.focus();
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("#show-keys")) $("#keys").showModal();
  if (target.closest("[data-closes]")) shut();
});

/* The panel for links */

function shut() {
  $("#by-link").replaceChildren();
  $("#open-link")?.focus({ preventScroll: true });
}
document.addEventListener("keydown", (event) => event.key === "Escape" && event.target.closest("#by-link") && shut());

/* Views on a phone: the tab that is open says so. */

function show() {
  for (const tab of $$(".tabbar a"))
    tab.toggleAttribute("aria-current", tab.hash === (location.hash === "" ? "#main" : location.hash));
}
addEventListener("hashchange", show);

/* Who comes back, or reads the page anew, stands where they stood. */

const place = `stood ${location.pathname}${location.search}`, came = performance.getEntriesByType("navigation")[0]?.type;

function before() {
  const row = ["reload", "back_forward"].includes(came) ? rowOf(sessionStorage.getItem(place)) : null;
  return row?.matches(":not(.is-decided)") ? row : null;
}

show();
recount();
stand(before() ?? current() ?? rows()[0], { focus: !location.hash });
document.addEventListener("stood", ({ detail }) => sessionStorage.setItem(`stood ${location.pathname}${location.search}`, detail.row));
listen();
