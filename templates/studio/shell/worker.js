// Keeps one page for when the network is away, and what that page is made of; nothing of a person's, and no answer of a room.
{% autoescape off %}
const VERSION = {{ version }};
const PAGE = {{ page }};
const KEPT = {{ kept }};
{% endautoescape %}
self.addEventListener("install", (event) => {
  const anew = KEPT.map((address) => new Request(address, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(VERSION).then((shelf) => shelf.addAll(anew)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const clear = async () => {
    for (const name of await caches.keys()) if (name !== VERSION) await caches.delete(name);
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(clear());
});

const shelved = async (address) => (await (await caches.open(VERSION)).match(address)) ?? Response.error();

async function visited(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return shelved(PAGE);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(visited(event));
    return;
  }
  const address = new URL(request.url);
  if (address.origin === self.location.origin && KEPT.includes(address.pathname)) {
    event.respondWith(fetch(request).catch(() => shelved(address.pathname)));
  }
});
