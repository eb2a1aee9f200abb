/**
 * What could not be sent waits and is sent again, with its key: so it counts once, whatever the server had done
 * already. After the last try it is given up, and said.
 */

const PAUSES = [1, 2, 4, 8, 15, 30, 30].map((seconds) => seconds * 1000);
const waiting = new Map();

const keyOf = ({ parameters }) => parameters.key;
/** No answer at all, a proxy without the server behind it, or a server without its database. A 503 that is a row is
 * an answer. */
const unreached = (xhr, { swapped }) =>
  [0, 502, 504].includes(xhr.status) || (xhr.status === 500 && xhr.getResponseHeader("Retry-After")) || (xhr.status === 503 && !swapped);

/** How many acts wait to be sent again. */
export const unsent = () => waiting.size;

/** The rows of an act that is sent again, null for one that is sent the first time. */
export const rowsOf = (config) => waiting.get(keyOf(config))?.rows ?? null;

/** Whether an act that met this answer will be sent again; from then on it waits here. */
export function keep({ xhr, target, requestConfig: config }) {
  const { elt } = config, key = keyOf(config), before = waiting.get(key)?.tries ?? 0;
  waiting.delete(key);
  if (!key || !unreached(xhr, config) || before >= PAUSES.length) return false;
  const swap = elt.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "none";
  waiting.set(key, {
    path: config.path, body: new FormData(), elt, target: `#${target.id}`, swap, rows: config.marked ?? [], tries: before + 1,
  });
  for (const [name, value] of config.formData) waiting.get(key).body.append(name, value);
  setTimeout(() => again(key), PAUSES[before]);
  return true;
}

function again(key) {
  const told = waiting.get(key);
  if (!told || told.under) return;
  told.under = true;
  const there = told.elt.isConnected && document.querySelector(told.target);
  const place = there ? { source: told.elt, target: told.target, swap: told.swap } : { source: "#strip", target: "#strip", swap: "outerHTML" };
  window.htmx.ajax("POST", told.path, { ...place, values: told.body }).catch(() => {});  // said by keep
}

addEventListener("online", () => [...waiting.keys()].forEach(again));
addEventListener("beforeunload", (event) => waiting.size && event.preventDefault());
