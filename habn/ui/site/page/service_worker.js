// Keeps the site for use without a network. The page and its small files come at once, the networks and what belongs to an
// example when they are first asked for. A new build has another VERSION: its files are fetched anew, the old ones dropped.

const VERSION = "$version";
const FIRST = JSON.parse('$first');

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FIRST.map((name) => new Request(name, { cache: "reload" }))))
    .then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name.startsWith("habn-") && name !== VERSION) await caches.delete(name);
  };
  event.waitUntil(drop().then(() => self.clients.claim()));
});

// Threads need a page that is isolated from others, which a static host cannot say of it.
function isolated(answer) {
  const headers = new Headers(answer.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

async function answered(request) {
  const isPage = request.mode === "navigate";
  const cache = await caches.open(VERSION);
  const key = isPage ? "./" : request;
  let answer = await cache.match(key, { ignoreSearch: true });
  if (!answer) {
    answer = await fetch(request);
    if (answer.status === 200) await cache.put(key, answer.clone());
  }
  return isPage || request.destination === "worker" ? isolated(answer) : answer;
}

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(self.registration.scope)) event.respondWith(answered(event.request));
});
