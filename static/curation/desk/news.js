/** News: told by events, else asked for. */

import { $ } from "./rows.js";

const POLL = 15_000, CALM = 2_000, PACE = 250;
let asked = 0, due = Infinity, waiting, open = () => false;

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
  line.className = on ? "ok" : "";
  line.lastElementChild.textContent = on ? line.dataset.on : line.dataset.off;
}

export function listen() {
  const source = new EventSource(document.body.dataset.eventsUrl, { withCredentials: true });
  show(false);
  source.addEventListener("open", () => (show(true), ask()));
  source.addEventListener("channel", () => ask());
  source.addEventListener("gap", () => ask());
  source.addEventListener("arrivals", () => ask(CALM));
  source.addEventListener("feed", () => window.htmx.trigger("#live", "published"));
  source.addEventListener("error", () => {
    show(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, POLL);
  });
  open = () => source.readyState === EventSource.OPEN;
}

setInterval(() => open() || document.hidden || ask(), POLL);
document.addEventListener("visibilitychange", () => document.hidden || ask());
