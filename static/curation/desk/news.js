/**
 * News: told by events, else asked for. One stream a browser: of all its tabs on a market one holds the lock and
 * listens, and tells the others; where that tab is closed, the next one has the lock.
 */

import { unsent } from "./resend.js";
import { $, $$ } from "./rows.js";
import { during } from "./swaps.js";

const POLL = 15_000, CALM = 2_000, PACE = 250, EVENTS = ["open", "channel", "gap", "arrivals", "feed", "presence", "closed"];
const { eventsUrl, person } = document.body.dataset;
const stream = `tickerdesk ${person} ${eventsUrl}`;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(stream) : null;
const hearing = {};
let asked = 0, due = Infinity, waiting, connected = false, leading = false, under = null, again = false;

/** What to do when an event comes; `told` is what it carries. */
export const hear = (event, work) => (hearing[event] ??= []).push(work);

/** Asks at once, but not again within `pace` milliseconds; several wishes become one question. */
export function ask(pace = PACE) {
  due = Math.min(due, asked + pace);
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (under) return (again = true);
    [asked, due] = [Date.now(), Infinity];
    if ($("#changes")) window.htmx.trigger("#changes", "ask");
  }, Math.max(0, due - Date.now()));
}

/* What one wants to know while an answer is on its way may not stand in it: it is asked for anew. */

const isQuestion = ({ elt }) => elt.id === "changes";

during("sending", "news", (detail) => isQuestion(detail) && (under = detail.requestConfig));
during("over", "news", ({ requestConfig, xhr }) => {
  show();
  if (requestConfig !== under) return;  // where more is left to tell, the next one is under way by now
  under = null;
  if (xhr.status === 403 || xhr.status === 404) return leave();
  if (again) ask();
  again = false;
});

/** Who may not read this desk any more is told so, and keeps nothing of it on the screen. */
function leave() {
  for (const column of $$(".column:not(#main), .keys-card, .tabbar, .skip")) column.remove();
  $("#main").replaceChildren($("template[data-over]").content.cloneNode(true));
  $("#main h2").focus();
}

function show(on = connected) {
  const line = $("#line"), there = on && navigator.onLine;
  connected = on;
  line.className = unsent() ? "warn" : there ? "ok" : "";
  line.lastElementChild.textContent = unsent() ? line.dataset.cut : there ? line.dataset.on : line.dataset.off;
}

function take({ event, told, on }) {
  if (event === "line") show(on);
  else if (event === "who-leads") leading && tabs.postMessage({ event: "line", on: connected });
  else for (const work of hearing[event] ?? []) work(told);
}

/** To this tab and all others. */
function spread(news) {
  take(news);
  if (tabs) tabs.postMessage(news);
}

/** Holds the stream as long as the page stands; opens it again when the server ended it. */
function lead() {
  leading = true;
  const source = new EventSource(eventsUrl, { withCredentials: true });
  for (const event of EVENTS)
    source.addEventListener(event, ({ data }) => {
      if (event === "open") spread({ event: "line", on: true });
      spread({ event, told: data ? JSON.parse(data) : {} });
    });
  source.addEventListener("error", () => {
    spread({ event: "line", on: false });
    if (source.readyState === EventSource.CLOSED) setTimeout(lead, POLL);
  });
  return new Promise(() => {});
}

export function listen() {
  show(false);
  if (!tabs || !navigator.locks) return lead();
  tabs.addEventListener("message", ({ data }) => take(data));
  tabs.postMessage({ event: "who-leads" });
  navigator.locks.request(stream, lead);
}

hear("open", () => ask());
hear("channel", () => ask());
hear("gap", () => ask());
hear("closed", () => ask());
hear("arrivals", () => ask(CALM));
hear("feed", () => window.htmx.trigger("#live", "published"));
addEventListener("offline", () => show());
addEventListener("online", () => (show(), ask()));
setInterval(() => connected || document.hidden || ask(), POLL);
document.addEventListener("visibilitychange", () => document.hidden || ask());
