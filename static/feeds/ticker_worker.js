/** Keeps the ticker's pages and what they are made of, for when there is no network. Never a feed, nor a picture: the
 * ticker keeps its last answer itself, for an hour. Served under /ticker/, so that no other page is ever touched.
 * `self.KEPT` stands before it: {version, shell: [paths]}. */
const { version, shell } = self.KEPT;
const PREFIX = "ticker-", NAME = PREFIX + version, PATIENCE = 4000;
const HOME = new URL("./", self.location).pathname;

const pathOf = ({ url }) => new URL(url).pathname;
const isPage = (path) => path.startsWith(HOME) && /^[a-z]{2}\/([a-z0-9-]+\/)?$/.test(path.slice(HOME.length));

/** The pages that are open or were kept before, fetched anew: old ones name files that are gone. */
const pages = async () => {
  const open = await self.clients.matchAll({ includeUncontrolled: true, type: "window" });
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  const kept = await Promise.all(older.map(async (name) => (await caches.open(name)).keys()));
  return [...new Set([...open, ...kept.flat()].map(pathOf).filter(isPage))];
};

const fill = async () => {
  const cache = await caches.open(NAME);
  await cache.addAll(shell);
  await Promise.allSettled((await pages()).map((path) => cache.add(path)));
  await self.skipWaiting();
};

const tidy = async () => {
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(older.map((name) => caches.delete(name)));
  await self.clients.claim();
};

const part = async (request) => (await (await caches.open(NAME)).match(request)) ?? fetch(request);

/** From the network while it answers; what is gone there is forgotten here. */
const page = async (request) => {
  const cache = await caches.open(NAME), path = pathOf(request);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) await cache.put(path, answer.clone());
    if ([403, 404, 410].includes(answer.status)) await cache.delete(path);
    return answer.status < 500 ? answer : ((await cache.match(path)) ?? answer);
  } catch {
    return (await cache.match(path)) ?? Response.error();
  }
};

const keep = async (paths) => {
  const cache = await caches.open(NAME);
  for (const path of paths) if (isPage(path) && !(await cache.match(path))) await cache.add(path).catch(() => null);
};

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("message", (event) => event.waitUntil(keep(event.data.keep)));
self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (shell.includes(pathname)) event.respondWith(part(request));
  else if (request.mode === "navigate" && isPage(pathname)) event.respondWith(page(request));
});
