/** See docs/ticker.md. */
const NAME = "telekom-ticker", SECOND = 1000, HOUR = 3600 * SECOND;

const KEYS = `asOf chosen offline paused pause desk reply repost like view edited image none gone stale foot
  politics economy sport celebrity`.split(/\s+/);
const TEXTS = {
  de: `Stand|Auswahl der Redaktion|Offline|Angehalten|Ticker anhalten|Redaktion|Antworten|Reposten|Gefällt mir|
    Auf X ansehen|Bearbeitet|Bild|Zurzeit keine Beiträge.|Zurzeit nicht verfügbar.|Keine Verbindung.|
    Beiträge von X geben die Meinung ihrer Verfasser wieder.|Politik|Wirtschaft|Sport|Prominente`,
  nl: `Bijgewerkt|Keuze van de redactie|Offline|Gepauzeerd|Ticker pauzeren|Redactie|Beantwoorden|Reposten|Vind ik leuk|
    Bekijken op X|Bewerkt|Afbeelding|Nu geen posts.|Nu niet beschikbaar.|Geen verbinding.|
    Posts van X geven de mening van hun auteurs weer.|Politiek|Economie|Sport|Sterren`,
  el: `Ενημέρωση|Επιλογή της σύνταξης|Εκτός σύνδεσης|Σε παύση|Παύση ενημέρωσης|Σύνταξη|Απάντηση|Αναδημοσίευση|Μου αρέσει|
    Προβολή στο X|Επεξεργασμένο|Εικόνα|Δεν υπάρχουν αναρτήσεις.|Δεν είναι διαθέσιμο.|Χωρίς σύνδεση.|
    Οι αναρτήσεις στο X εκφράζουν τις απόψεις των συντακτών τους.|Πολιτική|Οικονομία|Αθλητικά|Διασημότητες`,
  ro: `Actualizat la|Selecția redacției|Offline|În pauză|Întrerupe actualizarea|Redacția|Răspunde|Repostează|Îmi place|
    Vezi pe X|Editat|Imagine|Momentan nicio postare.|Momentan indisponibil.|Fără conexiune.|
    Postările de pe X exprimă opiniile autorilor lor.|Politică|Economie|Sport|Vedete`,
  hr: `Ažurirano u|Izbor redakcije|Izvan mreže|Zaustavljeno|Zaustavi osvježavanje|Redakcija|Odgovori|Ponovno objavi|Sviđa mi se|
    Pogledaj na X-u|Uređeno|Slika|Trenutačno nema objava.|Trenutačno nije dostupno.|Nema veze.|
    Objave na X-u izražavaju mišljenja svojih autora.|Politika|Gospodarstvo|Sport|Poznati`,
  en: `As of|Chosen by the editors|Offline|Paused|Pause ticker|Editors|Reply|Repost|Like|
    View on X|Edited|Image|No posts right now.|Not available right now.|No connection.|
    Posts on X express the views of their authors.|Politics|Economy|Sport|Celebrity`,
};
const wordsIn = (lang) => Object.fromEntries(TEXTS[lang].split(/\|\s*/).map((words, at) => [KEYS[at], words]));

const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const ICONS = {
  pause: "M5.5 3.5v9M10.5 3.5v9", resume: "M5 3.2v9.6L12.5 8Z", reply: "M2.5 3.5h11V11H8l-3.2 2.5V11H2.5Z",
  repost: "M4.5 11.5v-7h6M2.5 6.5l2-2 2 2M11.5 4.5v7h-6M9.5 9.5l2 2 2-2",
  like: "M8 13.5S2 10 2 6a3 3 0 0 1 6-1 3 3 0 0 1 6 1c0 4-6 7.5-6 7.5Z",
};

const DARK = `--tk-ground:#100f12;--tk-card:#1c1b1f;--tk-text:#eeecf0;--tk-muted:#a8a2af;--tk-line:#323037;
--tk-link:#8db7ff;--tk-accent:#ff74b6;--tk-focus:#8db7ff;--tk-warn:#f0b452;color-scheme:dark`;
const CSS = `
:host{--tk-ground:#f4f2f5;--tk-card:#fff;--tk-text:#17151a;--tk-muted:#625c69;--tk-line:#dedae2;
--tk-link:#0b57c4;--tk-accent:#c50065;--tk-focus:#1558c9;--tk-warn:#875000;color-scheme:light;
display:block;overflow-wrap:anywhere;background:var(--tk-ground);color:var(--tk-text);text-align:start;
font:400 15px/1.4 var(--tk-font,TeleNeoWeb,"Noto Sans",system-ui,sans-serif);font-variant-numeric:tabular-nums}
@media(prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}}}
:host([theme=dark]){${DARK}}
:host([hidden]),[hidden]{display:none!important}
*{box-sizing:border-box}
h2,p,ol{margin:0;padding:0}
a{color:var(--tk-link);text-decoration:none}
a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--tk-focus);outline-offset:2px;border-radius:4px}
.list:focus{outline:0}
.icon{width:18px;height:18px;fill:none;stroke:currentColor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}
.head{display:grid;grid-template-columns:minmax(0,1fr) auto;align-items:center;gap:0 12px;padding:12px 16px 10px}
.title{font-size:20px;line-height:1.2}
.as-of{font-size:12px;color:var(--tk-muted)}
.old{color:var(--tk-warn)}
.pause{grid-row:1/3;grid-column:2;display:grid;place-items:center;width:44px;height:44px;padding:0;border:1px solid var(--tk-line);border-radius:50%;background:var(--tk-card);color:inherit;cursor:pointer}
.list{padding:0 8px 8px;list-style:none;display:grid;grid-template-columns:minmax(0,1fr);gap:12px}
.context{display:flex;gap:8px;padding:0 8px 6px;font-size:13px}
.context b{flex:none;color:var(--tk-accent)}
.context span,.label,.text,.text a,.name,.username{min-width:0;unicode-bidi:isolate}
.context span,.label,.name,.username,.alt{overflow:hidden}
.label{display:inline-block;max-width:calc(100% - 16px);margin:0 8px 6px;padding:0 6px;border:1px solid;border-radius:4px;font-size:12px;line-height:18px}
.card{display:block;padding:12px 12px 4px;border:1px solid var(--tk-line);border-radius:14px;background:var(--tk-card)}
.by,.row{display:grid;grid-template-columns:minmax(0,1fr) 20px;gap:10px;align-items:start}
.row{padding:12px}
.author{display:grid;grid-template-columns:40px minmax(0,1fr);gap:0 10px;align-items:center;color:var(--tk-text)}
.avatar{grid-row:1/3;position:relative;display:grid;place-items:center;width:40px;height:40px;border-radius:50%;overflow:hidden;font-size:13px;font-weight:700;background:hsl(var(--hue) 42% 87%);color:hsl(var(--hue) 55% 21%)}
.name,.username{text-align:left;text-overflow:ellipsis;white-space:nowrap;line-height:1.35;max-height:1.35em}
.name{font-weight:700}
.username{font-size:13px;color:var(--tk-muted)}
.mark{width:16px;height:16px;justify-self:end;margin-top:2px;border-radius:50%;background:var(--tk-mark,var(--tk-line))}
.text{margin-top:8px;white-space:pre-wrap;overflow:clip;overflow-clip-margin:5px}
.text a{text-decoration:underline 1px;text-underline-offset:.18em}
.media{display:grid;gap:2px;margin-top:10px;border:1px solid var(--tk-line);border-radius:10px;overflow:hidden;background:var(--tk-ground)}
.many{grid-template-columns:1fr 1fr}
.many>:first-child:nth-last-child(odd){grid-column:span 2}
.picture{position:relative;min-width:0;color:var(--tk-muted);font-size:12px}
.picture:focus-visible{outline-offset:-4px}
.size{display:block;width:100%;height:auto;max-height:400px}
img,.alt,.play{position:absolute;inset:0;width:100%;height:100%;object-fit:cover}
.alt{display:grid;place-items:center;padding:8px;text-align:center}
.play{margin:auto;width:48px;height:48px;padding:13px;border-radius:50%;background:#17151ad9;color:#fff}
.when{margin-top:4px;font-size:13px;line-height:28px;color:var(--tk-muted)}
.when a{display:inline-block;color:inherit}
.actions{display:flex;margin:-2px -8px 0}
.actions a{display:grid;place-items:center;min-width:44px;min-height:44px;color:var(--tk-muted)}
.actions .view{margin-inline-start:auto;padding:0 8px;font-size:13px;color:var(--tk-link)}
.note,.foot{padding:4px 16px 16px;font-size:12px;color:var(--tk-muted)}
.note{padding-top:12px;font-size:13px}
@media(prefers-reduced-motion:no-preference){.new{animation:in .4s}}
@keyframes in{from{opacity:0;transform:translateY(-8px)}}`;

const tolerant = (step, tell) => {
  try {
    return step();
  } catch (error) {
    tell?.(NAME, error);
    return null;
  }
};
const guarded = (step) => (given) => tolerant(() => step(given), console.warn);

const node = (space) => (kind, marks, ...parts) => {
  const [tag, classes] = kind.split("."), made = document.createElementNS(space, tag);
  const all = { class: classes, part: classes, ...marks };
  for (const [name, value] of Object.entries(all)) if (value != null) made.setAttribute(name, value);
  made.append(...parts.filter((part) => part != null));
  return made;
};
const make = node("http://www.w3.org/1999/xhtml"), draw = node("http://www.w3.org/2000/svg");
const HIDDEN = { "aria-hidden": "true" };
const icon = (name, more = "") =>
  draw(`svg.icon ${more}`, { viewBox: "0 0 16 16", ...HIDDEN }, draw("path", { d: ICONS[name] }));
const away = (kind, href, marks, ...parts) => make(`a${kind}`, { href, target: "_blank", rel: "noopener", ...marks }, ...parts);

const webAddress = (text) => tolerant(() => {
  const { protocol, href } = new URL(text);
  return /^https?:$/.test(protocol) ? href : null;
});
const list = (given) => (Array.isArray(given) ? given.filter(Boolean) : []);

const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const tag = (sign, key, path) => (entity, words) =>
  sign.includes(words[0]) && words.slice(1).toLowerCase() === String(entity[key]).toLowerCase()
    ? [`https://x.com/${path}${encodeURIComponent(entity[key])}`, words] : null;
const LINKS = {
  urls: ({ url, display_url }, words) => webAddress(url) && [webAddress(url), (words === url && display_url) || words],
  hashtags: tag("#＃", "tag", "hashtag/"),
  cashtags: tag("$", "tag", "search?q=%24"),
  mentions: tag("@＠", "username", ""),
};

const textNodes = (text, entities) => {
  const points = Array.from(text), cut = (start, end) => points.slice(start, end).join(""), nodes = [];
  const spans = Object.keys(LINKS).flatMap((kind) => list(entities?.[kind]).map((entity) => ({ kind, entity, ...entity })));
  let from = 0;
  for (const { kind, entity, start, end } of spans.sort((a, b) => a.start - b.start)) {
    const link = start >= from && end > start && end <= points.length && LINKS[kind](entity, cut(start, end));
    if (!link) continue;
    nodes.push(unescaped(cut(from, start)), away("", link[0], { dir: "auto" }, unescaped(link[1])));
    from = end;
  }
  return [...nodes, unescaped(cut(from))];
};

const initials = (name) =>
  name.split(/[^\p{L}\p{N}\p{M}]+/u).map(([first]) => first).join("").slice(0, 2).toUpperCase() || "X";

class Renderer {
  constructor(lang, words, picture) {
    Object.assign(this, { words, picture });
    this.date = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { day: "numeric", month: "short", year: "numeric", ...TIME });
  }

  beside({ context, label }) {
    return [label && make("span.label", { dir: "auto" }, label),
      context && make("p.context", {}, make("b", {}, this.words.desk), " ", make("span", { dir: "auto" }, context))].filter(Boolean);
  }

  card(entry) {
    const url = `https://x.com/i/status/${entry.id}`;
    return (entry.author?.username && typeof entry.text === "string" && tolerant(() => this.post(entry, url))) || this.row(entry, url);
  }

  row({ context }, url) {
    const { view } = this.words;
    return away(".card row", url, { "aria-label": context ? `${view}: ${context}` : null }, view, make("span.mark", HIDDEN));
  }

  post(entry, url) {
    const { author, text, entities, lang } = entry, name = String(author.name || author.username);
    return make("article.card", { "aria-label": name },
      make("div.by", {}, this.author(author, name), make("span.mark", HIDDEN)),
      make("p.text", { dir: "auto", lang: /^[a-z]{2}$/.test(lang) ? lang : null }, ...textNodes(text, entities)),
      this.media(entry, url, name), this.when(entry, url), this.actions(entry, url, name));
  }

  author({ id, username, avatar_url }, name) {
    const source = this.picture(avatar_url);
    const avatar = make("span.avatar", HIDDEN, initials(name), source && this.image(source, "", ""));
    avatar.style.setProperty("--hue", +String(id).slice(-3) || 0);
    return away(".author", `https://x.com/${encodeURIComponent(username)}`, {}, avatar,
      make("span.name", { dir: "auto" }, name), " ", make("span.username", { dir: "ltr" }, `@${username}`));
  }

  image(src, alt, words) {
    const image = make("img", { alt, loading: "lazy", referrerpolicy: "no-referrer" });
    image.onerror = () => image.replaceWith(words ? make("span.alt", { dir: "auto" }, words) : "");
    image.src = src;
    return image;
  }

  media({ media }, url, name) {
    const all = list(media), many = all.length > 1, frames = all.map((medium) => this.frame(medium, url, name, many)).filter(Boolean);
    return frames.length ? make(`div.media${many ? " many" : ""}`, {}, ...frames) : null;
  }

  frame({ type, url, preview_url, width, height, alt }, post, name, many) {
    const photo = type === "photo", source = this.picture(photo ? url : preview_url), { image, view } = this.words;
    if (!source) return null;
    const inner = [draw("svg.size", { viewBox: !many && width > 0 && height > 0 ? `0 0 ${+width} ${+height}` : "0 0 4 3", ...HIDDEN }),
      this.image(source, alt || image, photo && alt)];
    return photo ? make("span.picture", {}, ...inner)
      : away(".picture", post, { "aria-label": ["Video", view, name, alt].filter(Boolean).join(": ") }, ...inner, icon("resume", "play"));
  }

  when({ created_at, edited }, url) {
    const at = Date.parse(created_at), notice = edited ? this.words.edited : null;
    const time = at ? away("", url, {}, make("time", { datetime: created_at }, this.date.format(at))) : null;
    return time || notice ? make("p.when", {}, time, time && notice && " · ", notice) : null;
  }

  actions({ id }, url, name) {
    const { words } = this, intent = (what, path) =>
      away("", `https://x.com/intent/${path}=${id}`, { "aria-label": `${words[what]}: ${name}` }, icon(what));
    return make("div.actions", {},
      intent("reply", "post?in_reply_to"), intent("repost", "retweet?tweet_id"), intent("like", "like?tweet_id"),
      away(".view", url, { "aria-label": `${words.view}: ${name}` }, words.view));
  }
}

const valid = (feed) =>
  feed?.version === 1 && Number.isInteger(feed.snapshot) && Array.isArray(feed.entries) && feed.entries.length < 501 &&
  feed.entries.every((entry) => /^\d{1,19}$/.test(entry?.id));

/** One clock may be set anew, the other may sleep. */
const watch = (spent = 0, day = Date.now(), tick = performance.now()) => () =>
  spent + Math.max(Date.now() - day, performance.now() - tick);

/** Caches make it late, never early. */
const timeBy = (header) => {
  const told = Date.parse(header), own = Date.now();
  return told > own || told < own - 2 * HOUR ? told : own;
};

const current = (feed, now) => {
  const out = new Set(list(feed?.removed).map(({ id }) => id));
  return list(feed?.entries).filter(({ id, expires_at }) => !(out.has(id) || Date.parse(expires_at) <= now) && out.add(id));
};

const memory = {
  recall: (place) => tolerant(() => {
    const { at, stamp = at, feed } = JSON.parse(localStorage[place]), spent = Date.now() - at;
    return valid(feed) && spent >= 0 && spent < HOUR ? { stamp, feed, age: watch(spent) } : null;
  }) ?? memory.forget(place) ?? {},
  keep: (place, stamp, feed) => tolerant(() => {
    memory.forget(place);
    localStorage[place] = JSON.stringify({ at: Date.now(), stamp, feed });
  }),
  forget: (place) => tolerant(() => delete localStorage[place] && null),
};

const read = async (body) => {
  const reader = body.getReader(), decoder = new TextDecoder();
  for (let text = "", left = 4e6; left > 0;) {
    const { value, done } = await reader.read();
    if (done) return JSON.parse(text);
    text += decoder.decode(value, { stream: true });
    left -= value.length;
  }
};

class Rows {
  constructor(list) {
    Object.assign(this, { list, rows: new Map(), started: false });
  }

  clear() {
    this.rows.clear();
    this.list.replaceChildren();
    this.started = false;
  }

  show(entries, renderer) {
    const root = this.list.getRootNode(), focused = root.activeElement, held = this.list.contains(focused);
    const wanted = new Set(entries.map(({ id }) => id));
    for (const [id, { li }] of this.rows) if (!wanted.has(id)) (li.remove(), this.rows.delete(id));
    this.place(entries, renderer);
    if (held && root.activeElement !== focused) (focused.isConnected ? focused : this.list).focus({ preventScroll: true });
    this.started = true;
  }

  place(entries, renderer) {
    let next = this.list.firstElementChild;
    for (const entry of entries) {
      const li = this.row(entry, renderer);
      if (li === next) next = li.nextElementSibling;
      else this.list.insertBefore(li, next);
    }
  }

  row(entry, renderer) {
    const { id, context, label, expires_at, pinned, category, ...post } = entry;
    const row = this.rows.get(id) ?? { li: make(`li.entry${this.started ? " new" : ""}`, { "data-id": id }) };
    const beside = JSON.stringify([context, label]), within = JSON.stringify([post, post.text == null && context]);
    if (row.within !== within) row.card = renderer.card(entry);
    if (row.beside !== beside || row.within !== within) row.li.replaceChildren(...renderer.beside(entry), row.card);
    this.rows.set(id, Object.assign(row, { beside, within }));
    return row.li;
  }
}

class TelekomTicker extends HTMLElement {
  static observedAttributes = "market category lang key feed-base media-base heading poll paused".split(" ");

  #feed; #stamp; #age; #failures = 0; #refused; #address; #place; #shown; #late = watch();
  #timer; #sweeper; #request; #queued; #life; #parts; #rows; #renderer; #words; #clock; #eyes; #seen;

  connectedCallback() {
    guarded(() => {
      if (!this.#parts) this.#build();
      this.#life = new AbortController();
      const { signal } = this.#life, on = (target, name, step) => target.addEventListener(name, guarded(step), { signal });
      on(document, "visibilitychange", () => this.#wake());
      on(window, "online", () => this.#wake(true));
      on(window, "offline", () => this.#show((this.#failures ||= 1)));
      this.#restart();
    })();
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#rest();
    clearTimeout(this.#sweeper);
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected || !this.#parts) return;
    if (name === "paused") return guarded(() => this.#obey())();
    if (!this.#queued) queueMicrotask(guarded(() => {
      this.#queued = false;
      if (this.isConnected) this.#restart();
    }));
    this.#queued = true;
  }

  #build() {
    const title = make("h2.title"), asOf = make("p.as-of"), pause = make("button.pause", { type: "button" });
    const head = make("div.head", {}, title, asOf, pause), foot = make("p.foot");
    const list = make("ol.list", { role: "list", tabindex: "-1" }), note = make("p.note", { role: "status" });
    const box = make("section", {}, head, list, note, foot), root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    pause.addEventListener("click", () => this.toggleAttribute("paused"));
    list.addEventListener("click", guarded((event) => this.#opened(event)));
    this.#parts = { box, head, title, asOf, pause, list, note, foot };
    this.#rows = new Rows(list);
    this.#eyes = new IntersectionObserver(guarded((sights) => sights.map(this.#see, this)), { threshold: [0.1, 0.2, 0.3, 0.4, 0.5] });
  }

  #opened(event) {
    const link = event.target.closest("a");
    if (link && !this.#tell("ticker-open", { id: link.closest("li").dataset.id, url: link.href })) event.preventDefault();
  }

  #see({ target, intersectionRatio, intersectionRect }) {
    const { id } = target.dataset, seen = this.#seen, timer = seen.get(id);
    if (intersectionRatio < 0.5 && intersectionRect.height < innerHeight / 2) {
      clearTimeout(timer);
      if (timer) seen.delete(id);
    } else if (timer == null) seen.set(id, setTimeout(() => {
      if (document.hidden || !target.isConnected) return seen.delete(id);
      seen.set(id, 0);
      this.#tell("ticker-shown", { id });
    }, SECOND));
  }

  #tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable: true, bubbles: true, composed: true }));
  }

  #given(name) {
    return (this.getAttribute(name) ?? "").trim();
  }

  #addressNow() {
    const [market, category, key] = ["market", "category", "key"].map((name) => encodeURIComponent(this.#given(name)));
    const base = (this.#given("feed-base") || "/api/v1/feeds").replace(/\/+$/, "");
    return market && [base, ...[market, category].filter(Boolean), key && `?key=${key}`].join("/");
  }

  #restart() {
    const address = this.#addressNow();
    this.#rest();
    this.#speak();
    if (address !== this.#address) this.#begin(address);
    this.#show();
    this.#poll();
  }

  #begin(address) {
    this.#address = address;
    this.#place = `${NAME}:${address}`;
    tolerant(() => Object.keys(localStorage).filter((key) => key.startsWith(`${NAME}:`)).map(memory.recall));
    ({ stamp: this.#stamp, feed: this.#feed, age: this.#age } = memory.recall(this.#place));
    this.#seen = new Map();
    this.#failures = 0;
    this.#refused = !address;
  }

  #speak() {
    const asked = String(this.closest("[lang]")?.lang).slice(0, 2).toLowerCase(), lang = asked in TEXTS ? asked : "en";
    const { box, title, pause, foot } = this.#parts, words = (this.#words = wordsIn(lang));
    this.#clock = new Intl.DateTimeFormat(lang, TIME);
    this.#renderer = new Renderer(lang, words, (url) => this.#picture(url));
    this.#rows.clear();
    box.lang = lang;
    box.setAttribute("aria-label", (title.textContent = this.#given("heading") || this.#title(lang)));
    pause.setAttribute("aria-label", words.pause);
    foot.textContent = words.foot;
  }

  #title(lang) {
    const slug = this.#given("category"), market = this.#given("market").toUpperCase();
    if (slug) return KEYS.indexOf(slug) > 15 ? this.#words[slug] : slug[0].toUpperCase() + slug.slice(1);
    return tolerant(() => new Intl.DisplayNames(lang, { type: "region" }).of(market)) ?? market;
  }

  #picture(url) {
    const base = this.#given("media-base"), source = webAddress(url);
    return !source || base === "none" ? null : base ? base + encodeURIComponent(url) : source;
  }

  #idle() {
    return document.hidden || this.hasAttribute("paused") || !this.isConnected || !this.#address;
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  #wake(now) {
    this.#show();
    clearTimeout(this.#timer);
    if (this.#idle() || (this.#request && !now)) return;
    const late = this.#late();
    if (now || late >= 0) this.#poll();
    else this.#timer = setTimeout(guarded(() => this.#wake()), 1 - late);
  }

  #obey() {
    if (this.hasAttribute("paused")) this.#rest();
    this.#wake(true);
  }

  async #ask(request) {
    const limit = setTimeout(() => request.abort(), 20 * SECOND);
    try {
      const answer = await fetch(this.#address, { cache: "no-cache", credentials: "omit", signal: request.signal });
      return [answer.status, answer.status === 200 && await read(answer.body), answer.headers.get("date")];
    } catch {
      return [];
    } finally {
      clearTimeout(limit);
      request.abort();
    }
  }

  async #poll() {
    this.#rest();
    if (this.#idle()) return;
    const request = (this.#request = new AbortController()), answer = await this.#ask(request);
    if (this.#request !== request) return;
    this.#request = null;
    guarded(() => {
      this.#take(...answer);
      this.#late = watch(-this.#delay());
      this.#wake();
    })();
  }

  #delay() {
    const asked = Math.max(Math.min(this.#given("poll"), 3600), 0) || Math.min(Math.max(this.#feed?.ttl || 60, 15), 900);
    const delay = Math.max(asked, 1) * SECOND * (0.9 + Math.random() / 5) * 2 ** this.#failures;
    return this.#failures ? Math.min(delay, 10 * 60 * SECOND) : delay;
  }

  #take(status, feed, date) {
    if ([401, 403, 404, 410].includes(status)) this.#refuse();
    else {
      const good = status === 304 ? this.#feed : feed;
      if (!valid(good)) this.#failures += 1;
      else if (!(good.snapshot < this.#feed?.snapshot)) this.#accept(good, date);
    }
  }

  #refuse() {
    this.#drop();
    this.#refused = true;
    this.#failures += 1;
  }

  #drop() {
    this.#feed = null;
    memory.forget(this.#place);
  }

  #accept(feed, date) {
    this.#feed = feed;
    this.#age = watch();
    this.#stamp = timeBy(date);
    this.#failures = 0;
    this.#refused = false;
    memory.keep(this.#place, this.#stamp, feed);
  }

  #show() {
    if (this.#feed && this.#age() >= HOUR) this.#drop();
    const now = this.#feed && this.#stamp + this.#age(), entries = current(this.#feed, now);
    this.#rows.show(entries, this.#renderer);
    if (!this.#feed) this.#rows.clear();
    this.#describe(entries.length);
    this.#sweepLater(entries, now);
    this.#eyes.disconnect();
    for (const li of this.#parts.list.children) this.#eyes.observe(li);
    const shown = JSON.stringify([this.#address, this.#feed?.snapshot, entries]);
    if (shown !== this.#shown) this.#tell("ticker-update", { snapshot: this.#feed?.snapshot ?? null, ids: entries.map(({ id }) => id) });
    this.#shown = shown;
  }

  #sweepLater(entries, now) {
    const moments = entries.map(({ expires_at }) => Date.parse(expires_at) - now).filter((left) => left > 0);
    clearTimeout(this.#sweeper);
    if (this.#feed) this.#sweeper = setTimeout(guarded(() => this.#wake()), 1 + Math.min(HOUR - this.#age(), ...moments));
  }

  #describe(count) {
    const { box, head, asOf, pause, list, note, foot } = this.#parts, paused = this.hasAttribute("paused");
    head.hidden = this.#refused;
    list.hidden = foot.hidden = !count;
    asOf.textContent = this.#asOf(paused);
    asOf.classList.toggle("old", this.#failures > 0);
    note.textContent = count ? "" : this.#note(paused);
    note.hidden = !note.textContent;
    box.setAttribute("aria-busy", !this.#feed && !this.#idle() && !this.#failures);
    pause.setAttribute("aria-pressed", paused);
    pause.replaceChildren(icon(paused ? "resume" : "pause"));
  }

  #asOf(paused) {
    const words = this.#words, state = paused ? words.paused : this.#failures && words.offline;
    const at = this.#feed && `${words.asOf} ${this.#clock.format(this.#stamp)}`;
    return (state ? [state, at] : [at, words.chosen]).filter(Boolean).join(" · ");
  }

  #note(paused) {
    const { gone, none, stale, paused: halted } = this.#words;
    return this.#refused ? gone : this.#feed ? none : paused ? halted : this.#failures ? stale : "";
  }
}

if (!customElements.get(NAME)) customElements.define(NAME, TelekomTicker);
