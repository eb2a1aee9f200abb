/** Decisions: rows are marked before the server answers, and come back when it refuses. */

import { actOf, intercept, single, WRITING } from "./keys.js";
import { asked, isLate, tell } from "./late.js";
import { ask } from "./news.js";
import { broughtBy, keep, rowsOf, unsent } from "./resend.js";
import { $, $$, clear, current, goOn, linger, picks, recount, rowOf, stand, steady, unseen, want } from "./rows.js";
import { strayed, unveiled } from "./sight.js";
import { during, isLogIn, reads } from "./swaps.js";

/* Marks: the verb that a row was marked with, by its id, since the answer brings another element. */

const marked = new Map();

function mark(row, verb) {
  const verdict = $(`template[data-verdict="${verb}"]`)?.content.cloneNode(true);
  if (!verdict || row.classList.contains("is-decided")) return;
  marked.set(row.dataset.candidate, verb);
  row.classList.add("is-decided", "is-sent");
  $(".who", row).append(verdict);
  if (row === current()) goOn(row);
}

/** Marks anew what still waits for its answer, in rows that were drawn anew. */
export function remark() {
  for (const [id, verb] of marked) if (rowOf(id)) mark(rowOf(id), verb);
}

/** Takes a mark off again where the answer did not bring the row anew. */
function unmark(id) {
  const row = rowOf(id);
  marked.delete(id);
  if (!row?.classList.contains("is-sent")) return;
  row.classList.remove("is-decided", "is-sent");
  $(".verdict", row)?.remove();
}

const said = (what) => $(`template[data-said="${what}"]`)?.content.cloneNode(true);

export function say(what) {
  const words = said(what);
  if (words) $("#strip p").replaceChildren(words);
}

/** Whether a key came before anybody can have seen the row that it would mean; nothing is done then. */
export function early() {
  const why = strayed() ? "late" : unseen();
  if (why === "late") say("unseen");
  if (why === "jumped") linger();
  return why !== "";
}

/** Whoever may decide is told why a key did nothing to what they stand on. */
export function cannot(why = document.body.classList.contains("is-bulk") ? "not-many" : "not-now") {
  if ($("#bulk") && current()) say(why);
}

export function decide(verb) {
  const bulk = document.body.classList.contains("is-bulk");
  if (bulk && unveiled()) return say("unseen");
  if (!bulk && early()) return;
  const within = bulk ? $("#bulk") : $(".row.is-current:not(.is-decided) .more");
  const button = within && $(`button[name="verb"][value="${verb}"]`, within);
  button ? button.click() : cannot();
}

/** The bar at the thumb stands still while its row is scrolled away. */
document.addEventListener("click", (event) => {
  if (!event.target.closest("#rows .is-current .decide") || !strayed()) return;
  event.preventDefault();
  event.stopPropagation();
  say("unseen");
}, { capture: true });

/** While it is asked which slot gives way, its digit answers; whoever does anything else has left the question. */
intercept((told, { target, repeat }) => {
  const offer = single && !document.body.classList.contains("is-bulk") && current() && $(".more .swaps", current());
  if (!offer || target.closest(WRITING)) return false;
  const slot = /^\d$/.test(told) && $(`button[value="${told}"]`, offer);
  if (!slot) return unask(told, offer);
  if (!repeat && !early()) slot.click();
  return true;
});

function unask(told, offer) {
  if (actOf(told)) steady(current(), () => offer.remove());
  return told === "Escape";
}

document.addEventListener("stood", () => {
  for (const offer of $$("#rows .row:not(.is-current) .swaps")) offer.remove();
});

let wished = 0, undoing = null;  // acts still to be taken back, and the request that takes one back

/** One act a press. Each waits for what is under way: until then the button still names the act before. */
export function takeBack() {
  wished += 1;
  takeNext();
}

function takeNext() {
  if (!wished) return;
  if (undoing || marked.size || unsent()) return tellTaking();
  wished = $("#undo") ? wished - 1 : 0;
  $("#undo")?.click();
}

/** Until it is done the foot names another act: so how many are being taken back is said at once. */
function tellTaking() {
  const words = said("taking-back"), many = wished + (undoing ? 1 : 0);
  if (!words) return;
  if (many > 1) $("b", words).textContent = `${many} ×`;
  $("#strip .taking-back")?.remove();
  unsent() ? $("#strip p").append(" ", words) : $("#strip p").replaceChildren(words);
}

/* Around htmx's requests */

const VERBLESS = ".alike__do, [data-stays]";  // a post behind a similar one has no row to mark; some verbs leave it waiting
const verbOf = ({ parameters: { verb, swap } }) => verb ?? (swap ? "pin" : null);
/** Rows that an act marks at once. */
const concerned = (form) =>
  form.matches(VERBLESS) ? [] : form.id === "bulk" ? picks().map((pick) => pick.closest(".row")) : [form.closest("#rows .row")].filter(Boolean);

/** Whose page it is; and the cookie's token, since a new log-in in another tab makes that of the page useless. */
during("asking", "sender", ({ headers, parameters, verb }) => {
  if (document.body.dataset.person) headers["X-Person"] = document.body.dataset.person;
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  if (!token || verb === "get") return;
  headers["X-CSRFToken"] = token;
  delete parameters.csrfmiddlewaretoken;
});

during("sending", "marks", ({ elt, requestConfig }) => {
  if (elt.matches("form:has(#undo)")) {
    undoing = requestConfig;
    tellTaking();
  }
  const verb = elt.matches("form") && verbOf(requestConfig);
  const sent = rowsOf(requestConfig), brought = broughtBy(requestConfig);
  if (brought !== undefined) Object.assign(requestConfig, { asked: brought, carried: true });
  if (sent) requestConfig.marked = sent;
  if (sent || !elt.matches("form")) return;
  const chosen = concerned(elt);
  requestConfig.asked = asked(verb ?? (/\/acts\//.test(requestConfig.path) ? "undo" : ""), chosen.map((row) => row.dataset.candidate), elt);
  if (!verb) return;
  requestConfig.marked = chosen.map((row) => row.dataset.candidate);
  for (const row of chosen) mark(row, verb);
});

let answering = false;

/** News of one's own act can overtake its answer; the row waits for that. Who leads a group already stays as it is. */
during("arriving", "marks", (detail) => {
  const { target, requestConfig: { verb, parameters } } = detail;
  answering = verb !== "get";
  if (!answering || target.id !== "bulk" || parameters.panel || !$(".why", target)) return;
  detail.swapOverride = "none";  // for others, selected since, a panel is being filled in
  $("[name=key]", target).value = crypto.randomUUID();
});
during("placing", "marks", (detail) => {
  if (!answering && $(".is-sent, form.htmx-request", detail.target)) detail.shouldSwap = false;
  if ($("[data-next]", detail.fragment) && !$(".row.is-decided", detail.target)) detail.shouldSwap = false;
});

during("over", "marks", (detail) => {
  const { xhr, target, requestConfig: config } = detail, ids = config.marked ?? [];
  if (reads(config)) return recount();
  if (undoing === config) undoing = null;
  if (keep(detail)) {
    if (config.elt.id === "bulk") clear();
    return say("waiting");
  }
  for (const id of ids) unmark(id);
  recount();
  const strip = homeless(detail) && footOf(xhr), refusal = strip ? "" : unswapped(xhr, config);
  if (strip) place(strip);
  if (refusal) say(refusal);
  if (refusal === "gone" || (!target.isConnected && ids.some(rowOf))) ask();  // the row does not know yet what it is now
  const failed = refusal || xhr.status >= 400;
  if (!failed && !xhr.getResponseHeader("X-Refused")) return;
  config.refused = true;
  if (strip || isLate(config)) tellLate(config.asked);
  if (!failed) return;
  wished = 0;
  stand(rowOf(ids[0]), { itself: true });
});

during("over", "again", () => {
  document.body.classList.toggle("is-unsent", unsent() > 0);
  takeNext();
});

/* Rows that are no more: what a move brought here is gone when somebody takes the move back. */

during("asking", "rows", ({ elt, parameters }) => {
  if (elt.id === "changes") parameters.open = $$("#rows .row:not(.is-decided)").map((row) => row.dataset.candidate).join(",");
});

during("over", "gone", () => {
  const told = $("#changes"), ids = told?.dataset.gone?.split(" ") ?? [];
  delete told?.dataset.gone;
  for (const row of ids.map(rowOf).filter((row) => row && !$("form[data-panel-of]", row))) {
    $(".pick", row)?.remove();
    $(".more", row)?.remove();
    mark(row, "gone");
    marked.delete(row.dataset.candidate);
    row.classList.remove("is-sent");
  }
});

/** What to say of an answer that brought nothing to swap; empty for one that did. */
function unswapped(xhr, { swapped }) {
  if (isLogIn(xhr)) return "logged-out";
  if (xhr.status === 401) return "someone-else";
  if (swapped || xhr.status === 204) return "";
  return { 403: "forbidden", 404: "gone" }[xhr.status] ?? (xhr.status >= 400 && xhr.status < 500 ? "refused" : "lost");
}

/** An answer whose row went with another tab or search of the queue: htmx leaves all of it out, also the foot. */
const homeless = ({ target, requestConfig: { swapped } }) => swapped === undefined && !target.isConnected;
const footOf = (xhr) => new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("#strip");

/** What stands at the foot is said there until it is read. */
function tellLate(what) {
  tell(what, $("#strip p").textContent.trim());
  $("#strip p").replaceChildren();
}

function place(strip) {
  $("#strip").replaceWith(strip);
  window.htmx.process(strip);
}

/** Who decided about one of the similar ones by keyboard goes on with the next. */
let among = null;

during("sending", "alikes", ({ elt }) => {
  const list = elt.closest(".alikes");
  if (!list || !elt.matches(VERBLESS) || !list.contains(document.activeElement)) return;
  among = { elt, list, at: $$(".alike", list).indexOf(elt.closest(".alike")) };
});
during("over", "alikes", ({ requestConfig }) => {
  if (among?.elt !== requestConfig.elt) return;
  const { list, at } = among;
  among = null;
  if (document.activeElement !== document.body) return;
  const next = $$(".alike", list).slice(at).map((one) => $("button", one)).find(Boolean);
  (next ?? $("summary", list)).focus({ preventScroll: true });
});

/** What undo brought back is where one stands again; a row that the page has not comes with the news. */
let returned = null;

document.addEventListener("returned", ({ detail: { row } }) => (returned = row));
during("over", "returned", () => {
  const row = returned;
  returned = null;
  if (!row) return;
  if (rowOf(row)) return stand(rowOf(row), { itself: true });
  want(row);
  ask();
});
