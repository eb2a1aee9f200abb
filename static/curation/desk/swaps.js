/**
 * htmx's events, heard here and nowhere else. At each moment of a request the parts of a page do their work in the
 * order that stands here, whichever was loaded first. Nothing waits to settle (defaultSettleDelay is 0): when a request
 * is over, all that it brought is in its place and its forms are htmx's.
 */

const ORDER = {
  asking: ["sender", "rows", "resend"],  // headers and parameters may still be changed
  leaving: ["resend"],  // may yet be held back: then it goes on as one that did not reach the server
  sending: ["marks", "leaving", "alikes", "panel", "news"],  // on its way
  arriving: ["strangers", "marks", "live", "line"],  // the answer is there: what must not be swapped, what must outlive it
  placing: ["overtaken", "links", "marks"],  // a part of the answer is about to take its place by its id
  homeless: ["line"],  // a part of the answer that has no place on this page
  over: [  // all is swapped, or nothing came
    "live", "overtaken", "line", "marks", "gone", "turn", "returned",  // what one looks at stays; marks go and come; one stands elsewhere
    "ages", "unread", "palette", "history", "faces",  // what is drawn anew
    "alikes", "panel",  // where the keyboard is at last
    "again", "news", "late", "leaving",  // what waited for the answer
  ],
};
const works = Object.fromEntries(Object.keys(ORDER).map((moment) => [moment, {}]));

/** What a part does at a moment; `work` gets htmx's detail. */
export function during(moment, part, work) {
  if (!ORDER[moment].includes(part)) throw new Error(`${part} has no place in ${moment}`);
  works[moment][part] = work;
}

function run(moment, detail) {
  for (const part of ORDER[moment]) works[moment][part]?.(detail);
}

/** Whether a request only reads: then it can be asked again as often as one likes. */
export const reads = ({ verb, elt }) => verb === "get" || elt.matches("[data-panel]");

/** Whether an answer is the log-in, to which the server sent a page that is logged out. */
export const isLogIn = (xhr) => Boolean(xhr.responseURL) && new URL(xhr.responseURL).pathname === document.body.dataset.logIn;

document.addEventListener("htmx:configRequest", ({ detail }) => run("asking", detail));

document.addEventListener("htmx:beforeRequest", (event) => {
  run("leaving", event.detail);
  if (!event.detail.held) return;
  event.preventDefault();
  run("sending", event.detail);
  run("over", event.detail);
});

/** The end is taken from the request itself: htmx tells it to its element, which may be gone from the page by then. */
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  detail.xhr.addEventListener("abort", () => (detail.requestConfig.replaced = true));
  detail.xhr.addEventListener("loadend", () => {
    shelf.replaceChildren();
    run("over", detail);
  });
  detail.elt.addEventListener("htmx:beforeOnLoad", keepOut, { once: true });
  run("sending", detail);
});

/** An answer for a place that is not here any more, or that is asked for by what is not: htmx would break over it. */
function keepOut(event) {
  const { xhr, elt } = event.detail, place = xhr.getResponseHeader("HX-Retarget");
  if (place && !(elt.isConnected && document.querySelector(place))) event.preventDefault();
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  run("arriving", detail);
  detail.requestConfig.swapped = detail.shouldSwap;
  if (detail.shouldSwap) shelve(detail.serverResponse);
});
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (!shelf.contains(detail.target)) return run("placing", detail);
  detail.shouldSwap = false;
  run("homeless", { content: detail.fragment.firstElementChild });
});

/* Many rows of an answer have no place on a page, which is as it should be; htmx would call each an error. */

const shelf = document.body.appendChild(Object.assign(document.createElement("div"), { hidden: true }));

function shelve(answer) {
  for (const [, id] of answer.matchAll(/<li id="([a-z]+-\d+)" hx-swap-oob="true"/g))
    if (!document.getElementById(id)) shelf.append(Object.assign(document.createElement("i"), { id }));
}

/** A page that tells of an error is no part of this one, nor is the log-in; and what was read for a place that is gone
 * has none. */
during("arriving", "strangers", (detail) => {
  const { xhr, requestConfig: config, target } = detail;
  const error = xhr.status >= 400 && /^\s*<!doctype/i.test(detail.serverResponse);
  if (error || isLogIn(xhr) || (reads(config) && !target.isConnected)) detail.shouldSwap = false;
});
