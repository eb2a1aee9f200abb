/**
 * What could not be sent waits and is sent again, with its key: so it counts once, whatever the server had done
 * already. One after the other, in the order they were done, and what is done meanwhile behind them: else the last one
 * would not be what Undo takes back. After the last try it is given up, and said.
 */

import { during, reads } from "./swaps.js";

const PAUSES = [1, 2, 4, 8, 15, 30, 30].map((seconds) => seconds * 1000);
const waiting = new Map();
let turns = 0, failed = 0, soon = 0, under = null;  // acts done, and how often one was sent again in vain; the key of one on its way

const keyOf = ({ parameters }) => parameters.key;
/** No answer at all, a proxy without the server behind it, or a server without its database. A 503 that is a row is
 * an answer. */
const unreached = (xhr, { swapped }) =>
  [0, 502, 504].includes(xhr.status) || (xhr.status === 500 && xhr.getResponseHeader("Retry-After")) || (xhr.status === 503 && !swapped);

/** How many acts wait to be sent again. */
export const unsent = () => waiting.size;

/** The rows of an act that is sent again, null for one that is sent the first time. */
export const rowsOf = (config) => waiting.get(keyOf(config))?.rows ?? null;

/** What was asked in an act that another page could not send, and this one sends. */
export const broughtBy = (config) => waiting.get(keyOf(config))?.carried;

/** The bar of many keeps its form: a second act of it, done while the first one waits, is another act; and the first
 * one goes again as it was, whatever was pressed or typed there since. */
during("asking", "resend", (config) => {
  const { parameters, formData, errors } = config, told = waiting.get(parameters.key);
  if (!told) return;
  if (parameters.key !== under) return void (parameters.key = crypto.randomUUID());
  config.path = told.path;
  errors.length = 0;
  for (const name of new Set(formData.keys())) if (!told.body.has(name)) formData.delete(name);
});

/** What is done while others wait is not sent before them. */
during("leaving", "resend", (detail) => {
  const { requestConfig: config } = detail, key = keyOf(config);
  if (reads(config) || !key || key === under) return;
  config.turn = turns += 1;
  detail.held = waiting.size > 0;
});

/** Whether an act that met this answer will be sent again; from then on it waits here. */
export function keep({ xhr, target, requestConfig: config }) {
  const { elt } = config, key = keyOf(config), before = waiting.get(key), again = key === under;
  if (again) under = null;
  if (again && unreached(xhr, config)) failed += 1;
  if (!key || !unreached(xhr, config) || (before && failed - before.since >= PAUSES.length)) {
    if (waiting.delete(key)) plan(0);
    return false;
  }
  const swap = elt.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "none", { turn, since, carried } = before ?? { turn: config.turn, since: failed };
  const place = { elt, target: `#${target.id}`, swap };
  waiting.set(key, { path: config.path, body: new FormData(), ...place, rows: config.marked ?? [], turn, since, asked: config.asked, carried });
  for (const [name, value] of config.formData) waiting.get(key).body.append(name, value);
  if (again || waiting.size === 1) plan(PAUSES[failed - first()[1].since]);
  return true;
}

const inTurn = () => [...waiting].sort(([, one], [, other]) => one.turn - other.turn);
const first = () => inTurn()[0];

function plan(pause) {
  clearTimeout(soon);
  soon = setTimeout(sendFirst, pause);
}

function sendFirst() {
  clearTimeout(soon);
  if (under || !waiting.size) return;
  const [key, told] = first();
  under = key;
  const there = told.elt?.isConnected && document.querySelector(told.target);
  const place = there ? { source: told.elt, target: told.target, swap: told.swap } : { source: "#strip", target: "#strip", swap: "outerHTML" };
  window.htmx.ajax("POST", told.path, { ...place, values: told.body }).catch(() => {});  // said by keep
}

/* What this page could not send goes with whoever leaves it. */

/** An act that is on its way, as it is kept; none that has no key, since it could count twice. */
export const packed = (config) => keyOf(config) && !waiting.has(keyOf(config)) && { path: config.path, body: [...config.formData], asked: config.asked };

/** All that waits here, in turn. */
export const left = () => inTurn().map(([, { path, body, asked }]) => ({ path, body: [...body], asked }));

/** Sends what another page left; whatever is done meanwhile comes behind it. */
export function bring(acts) {
  for (const { path, body, asked = "" } of acts) {
    const told = new FormData();
    for (const [name, value] of body) told.append(name, value);
    const place = { elt: null, target: "#strip", swap: "outerHTML" };
    waiting.set(told.get("key"), { path, body: told, ...place, rows: [], turn: (turns += 1), since: failed, asked, carried: asked });
  }
  plan(0);
}

addEventListener("online", sendFirst);
/** What was brought and has not failed here goes on with whoever leaves, unasked. */
addEventListener("beforeunload", (event) => [...waiting.values()].some(({ elt }) => elt) && event.preventDefault());
