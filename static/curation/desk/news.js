/**
 * News: told by events, else asked for. One stream a browser: of all its tabs on a market one holds the lock and
 * listens, and tells the others; where that tab is closed, the next one has the lock.
 */

import { $ } from "./rows.js";

const POLL = 15_000, CALM = 2_000, PACE = 250, EVENTS = ["open", "channel", "gap", "arrivals", "feed", "presence", "closed"];
const { eventsUrl, person } = document.body.dataset;
const stream = `tickerdesk ${person} ${eventsUrl}`;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(stream) : null;
const hearing = {};
let asked = 0, due = Infinity, waiting, connected = false, leading = false;

/** What to do when an event comes; `told` is what it carries. */
export const hear = (event, work) => (hearing[event] ??= []).push(work);

/** Asks at once, but not again within `pace` milliseconds; several wishes become one question. */
export function ask(pace = PACE) {
  due = Math.min(due, asked + pace);
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    [asked, due] = [Date.now(), Infinity];
    window.htmx.trigger("#changes", "ask");
  }, Math.max(0, due - Date.now()));
}

function show(on) {
  const line = $("#line");
  connected = on;
  line.className = on ? "ok" : "";
  line.lastElementChild.textContent = on ? line.dataset.on : line.dataset.off;
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
setInterval(() => connected || document.hidden || ask(), POLL);
document.addEventListener("visibilitychange", () => document.hidden || ask());
