/** Decisions: rows are marked before the server answers, and come back when it refuses. */

import { ask } from "./news.js";
import { keep, rowsOf, unsent } from "./resend.js";
import { $, $$, current, onward, picks, recount, rowOf, stand, want } from "./rows.js";

/* Marks: by the row's id, since the answer brings another element. */

const marked = new Map();

function mark(row, verb) {
  const verdict = $(`template[data-verdict="${verb}"]`)?.content.cloneNode(true);
  if (!verdict || row.classList.contains("is-decided")) return;
  marked.set(row.dataset.candidate, row);
  const next = onward(row);
  row.classList.add("is-decided", "is-sent");
  $(".who", row).append(verdict);
  if (row === current() && next) stand(next);
}

/** Takes a mark off again where the answer did not bring the row anew. */
function settle(id) {
  const row = marked.get(id);
  marked.delete(id);
  if (!row?.isConnected) return;
  row.classList.remove("is-decided", "is-sent");
  $(".verdict", row)?.remove();
}

export function say(what) {
  const words = $(`template[data-said="${what}"]`)?.content.cloneNode(true);
  if (words) $("#strip p").replaceChildren(words);
}

export function decide(verb) {
  const within = document.body.classList.contains("is-bulk") ? $("#bulk") : $(".more", current() ?? document);
  within && $(`button[name="verb"][value="${verb}"]`, within)?.click();
}

let later = false;

/** Waits for what is under way: until then the button still names the act before. */
export function takeBack() {
  if (marked.size || unsent()) later = true;
  else $("#undo")?.click();
}

/* Around htmx's requests */

const VERBLESS = ".alike__do, [data-stays]";  // a post behind a similar one has no row to mark; some verbs leave it waiting
const verbOf = ({ parameters: { verb, swap } }) => verb ?? (swap ? "pin" : null);
const isLogIn = (xhr) => Boolean(xhr.responseURL) && new URL(xhr.responseURL).pathname === document.body.dataset.logIn;
/** Rows that an act marks at once. */
const concerned = (form) =>
  form.matches(VERBLESS) ? [] : form.id === "bulk" ? picks().map((pick) => pick.closest(".row")) : [form.closest("#rows .row")].filter(Boolean);

/** Whose page it is; and the cookie's token, since a new log-in in another tab makes that of the page useless. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  detail.headers["X-Person"] = document.body.dataset.person;
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  if (!token || detail.verb === "get") return;
  detail.headers["X-CSRFToken"] = token;
  delete detail.parameters.csrfmiddlewaretoken;
});

document.addEventListener("htmx:beforeSend", ({ detail: { elt, requestConfig } }) => {
  const verb = elt.matches("form") && verbOf(requestConfig);
  const sent = rowsOf(requestConfig);
  if (sent) requestConfig.marked = sent;
  if (!verb || sent) return;
  const chosen = concerned(elt);
  requestConfig.marked = chosen.map((row) => row.dataset.candidate);
  for (const row of chosen) mark(row, verb);
});

let answering = false;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (isLogIn(detail.xhr)) detail.shouldSwap = false;
  answering = detail.requestConfig.verb !== "get";
});

/** News of one's own act can overtake its answer; the row waits for that. Who leads a group already stays as it is. */
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (!answering && $(".is-sent", detail.target)) detail.shouldSwap = false;
  if ($("[data-next]", detail.fragment) && !$(".is-decided", detail.target)) detail.shouldSwap = false;
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { xhr, requestConfig: { marked: ids = [], verb } } = detail;
  if (keep(detail)) return say("waiting");
  for (const id of ids) settle(id);
  recount();
  if (verb === "get") return xhr.status === 401 && say("someone-else");
  const refusal = unswapped(xhr);
  if (refusal) say(refusal);
  if (refusal || xhr.status >= 400) {
    later = false;
    stand(rowOf(ids[0]));
  } else if (later && !marked.size) {
    later = false;
    takeBack();
  }
});

/** What to say of an answer that brought nothing to swap; empty for one that did. */
function unswapped(xhr) {
  if (isLogIn(xhr)) return "logged-out";
  if (xhr.status === 401) return "someone-else";
  if (xhr.status < 400 && xhr.status > 0) return "";
  if ([409, 422, 503].includes(xhr.status)) return "";
  return { 403: "forbidden", 404: "forbidden" }[xhr.status] ?? (xhr.status > 0 && xhr.status < 500 ? "refused" : "lost");
}

/** Who decided about one of the similar ones by keyboard goes on with the next. */
document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
  const list = elt.closest(".alikes");
  if (!list || !elt.matches(VERBLESS) || !list.contains(document.activeElement)) return;
  const at = $$(".alike", list).indexOf(elt.closest(".alike"));
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement !== document.body) return;
    const next = $$(".alike", list).slice(at).map((one) => $("button", one)).find(Boolean);
    (next ?? $("summary", list)).focus({ preventScroll: true });
  }, { once: true });
});

/** What undo brought back is where one stands again; a row that the page has not comes with the news. */
document.addEventListener("returned", ({ detail: { row } }) => {
  if (rowOf(row)) return stand(rowOf(row));
  want(row);
  ask();
});
