/**
 * The desk's keys, the row one stands on, marks before the server answers, and news from others.
 * Everything works without it: each act is a form that htmx sends or the browser does.
 */
const POLL = 15_000, CALM = 2_000, PACE = 250;
const $ = (query, within = document) => within.querySelector(query);
const $$ = (query, within = document) => [...within.querySelectorAll(query)];
const rows = () => $$("#rows .row");
const current = () => $("#rows .row.is-current");
const picks = () => $$('#rows .pick input:checked');
const rowOf = (id) => $(`#row-${id} .row`);
const scroller = () => $("#main .scroll");

/* The current row: it alone is open; what one looks at stays where it is on screen. */

let standing = null, wanted = null;

const scrollBy = (pixels) => {
  const box = scroller();
  if (pixels) (box.scrollHeight > box.clientHeight ? box : document.scrollingElement).scrollTop += pixels;
};

function steady(row, change) {
  const before = row.getBoundingClientRect().top;
  change();
  scrollBy(row.getBoundingClientRect().top - before);
}

function stand(row, { focus = true } = {}) {
  const left = current();
  if (!row) return;
  steady(row, () => {
    if (left && left !== row) {
      left.classList.remove("is-current");
      left.removeAttribute("aria-current");
      left.tabIndex = -1;
    }
    row.classList.add("is-current");
    row.setAttribute("aria-current", "true");
    row.tabIndex = 0;
    standing = row.dataset.candidate;
    wanted = null;
  });
  if (focus) row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows(), at = all.indexOf(current());
  stand(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

/** The next row that nobody decided, else the one before. */
function onward(from) {
  const all = rows(), at = all.indexOf(from), open = (row) => !row.classList.contains("is-decided");
  return all.slice(at + 1).find(open) ?? all.slice(0, at).reverse().find(open);
}

/* Marks before the answer: by the row's id, since the answer brings another element. */

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

function say(what) {
  const words = $(`template[data-said="${what}"]`)?.content.cloneNode(true);
  if (words) $("#strip p").replaceChildren(words);
}

/* Selected rows */

function recount() {
  const chosen = picks();
  document.body.classList.toggle("is-bulk", chosen.length > 0);
  if ($("#picked")) $("#picked").textContent = chosen.length;
  for (const row of rows()) row.classList.toggle("is-picked", Boolean($(".pick input:checked", row)));
}

function clear() {
  for (const pick of picks()) pick.checked = false;
  recount();
}

/* Keys: the letter that is printed where it is Latin, else the place it has on a keyboard. */

const letter = ({ key, code }) =>
  /^[a-z]$/i.test(key) ? key.toLowerCase()
    : key.length === 1 && /\p{L}/u.test(key) && /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key;

function decide(verb) {
  const within = document.body.classList.contains("is-bulk") ? $("#bulk") : $(".more", current() ?? document);
  within && $(`button[name="verb"][value="${verb}"]`, within)?.click();
}

/** Waits for what is under way: until then the button still names the act before. */
function takeBack() {
  if (marked.size) later = true;
  else $("#undo")?.click();
}

let later = false;

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), s: () => step(1),
  k: () => step(-1), ArrowUp: () => step(-1),
  a: () => decide("approve"), b: () => decide("block"), p: () => decide("pin"),
  z: takeBack,
  x: () => current() && $(".pick input", current())?.click(),
  o: () => $('.further [aria-keyshortcuts="o"]', current())?.click(),
  "/": () => $("#q")?.select(),
  "?": () => $("#keys").showModal(),
  Escape: clear,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog[open]")) return;
  if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) return;
  const key = letter(event), digit = /^\d$/.test(key) && $(`#categories [data-digit="${key}"]`);
  const act = digit ? () => digit.click() : KEYS[key];
  if (!act || (event.repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(key))) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", ({ target }) => {
  if (target.closest("#show-keys")) $("#keys").showModal();
  if (target.closest("[data-closes]")) shut();
  const row = target.closest("#rows .row");
  if (row && !row.classList.contains("is-current")) stand(row, { focus: false });
});
document.addEventListener("focusin", ({ target }) => {
  const row = target.closest("#rows .row");
  if (row && row !== current() && target.matches(":focus-visible")) stand(row, { focus: false });
});
document.addEventListener("change", ({ target }) => target.matches(".pick input") && recount());
document.addEventListener("reset", ({ target }) => target.id === "bulk" && clear());

/* The panel for links */

function shut() {
  $("#by-link").replaceChildren();
  $("#open-link")?.focus({ preventScroll: true });
}
document.addEventListener("keydown", (event) => event.key === "Escape" && event.target.closest("#by-link") && shut());

/* What one looks at stays on its line, whatever is swapped above it. */

let held = null;

function hold() {
  const row = current() ?? rows()[0];
  held ??= row && { id: row.dataset.candidate, top: row.getBoundingClientRect().top };
}

function release() {
  once();
  const row = held && rowOf(held.id);
  if (row) scrollBy(row.getBoundingClientRect().top - held.top);
  held = null;
  if (!current() && standing) stand(rowOf(standing), { focus: document.activeElement === document.body });
  if (wanted) stand(rowOf(wanted));
}

/** A row that came a second time, by another way, stays where it stands first. */
function once() {
  const seen = new Set();
  for (const row of $$("#rows > li")) seen.has(row.id) ? row.remove() : seen.add(row.id);
}

/** A post that waits again and has no row on this page is put below the others: there it moves none of them. */
document.addEventListener("htmx:oobErrorNoTarget", ({ detail: { content } }) => {
  if (!content.matches("li[data-returned]")) return;
  $("#rows").insertBefore(content, $("#more"));
  window.htmx.process(content);
});

/** What one opens oneself may push the rows down. */
document.addEventListener("htmx:beforeSwap", ({ detail }) => detail.target.id === "by-link" || hold());
document.addEventListener("htmx:afterRequest", release);

/* Around htmx's requests */

const verbOf = ({ parameters: { verb, swap } }) => verb ?? (swap ? "pin" : null);
const isLogIn = (xhr) => Boolean(xhr.responseURL) && new URL(xhr.responseURL).pathname === document.body.dataset.logIn;
/** Rows that an act marks at once; one that waits behind a similar one has none. */
const concerned = (form) =>
  form.matches(".alike__do") ? [] : form.id === "bulk" ? picks().map((pick) => pick.closest(".row")) : [form.closest("#rows .row")].filter(Boolean);

/** The cookie's token, since a new log-in in another tab makes that of the page useless. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  if (!token || detail.verb === "get") return;
  detail.headers["X-CSRFToken"] = token;
  delete detail.parameters.csrfmiddlewaretoken;
});

document.addEventListener("htmx:beforeSend", ({ detail: { elt, requestConfig } }) => {
  const verb = elt.matches("form") && verbOf(requestConfig);
  if (!verb) return;
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

document.addEventListener("htmx:afterRequest", ({ detail: { xhr, requestConfig } }) => {
  const { marked: ids = [], verb } = requestConfig;
  for (const id of ids) settle(id);
  recount();
  if (verb === "get") return;
  const answered = xhr.status > 0 && !isLogIn(xhr), swapped = xhr.status < 400 || [409, 422, 503].includes(xhr.status);
  if (!answered) say(xhr.status ? "logged-out" : "lost");
  else if (!swapped && xhr.status >= 500) say("lost");
  else if (!swapped) say([403, 404].includes(xhr.status) ? "forbidden" : "refused");
  if (!answered || xhr.status >= 400) {
    later = false;
    stand(rowOf(ids[0]));
  } else if (later && !marked.size) {
    later = false;
    takeBack();
  }
});

/** Who decided about one of the similar ones by keyboard goes on with the next. */
document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
  const list = elt.closest(".alikes");
  if (!list || !elt.matches(".alike__do") || !list.contains(document.activeElement)) return;
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
  wanted = row;
  ask();
});

/* News: told by events, else asked for. */

let asked = 0, due = Infinity, waiting, open = () => false;

/** Asks at once, but not again within `pace` milliseconds; several wishes become one question. */
function ask(pace = PACE) {
  due = Math.min(due, asked + pace);
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    [asked, due] = [Date.now(), Infinity];
    window.htmx.trigger("#changes", "ask");
  }, Math.max(0, due - Date.now()));
}

function listen() {
  const line = $("#line"), source = new EventSource(document.body.dataset.eventsUrl, { withCredentials: true });
  const show = (on) => {
    line.className = on ? "ok" : "";
    line.lastElementChild.textContent = on ? line.dataset.on : line.dataset.off;
  };
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

/* Views on a phone: the tab that is open says so. */

function show() {
  for (const tab of $$(".tabbar a"))
    tab.toggleAttribute("aria-current", tab.hash === (location.hash === "" ? "#main" : location.hash));
}
addEventListener("hashchange", show);

show();
recount();
stand(current() ?? rows()[0], { focus: !location.hash });
listen();
