// Keeps the page itself, which holds nobody's data, so that it opens without a network. Packs are not in here.
const MARK = "@MARK@";
const PAGE = "/phone/visit";
const FILES = ["visit.js", "stop.js", "words.js", "keep.js", "send.js", "photo.js", "visit.css"].map((n) => `${PAGE}/${n}`);
const PAGES = ["zh", "en"].map((lang) => `${PAGE}?lang=${lang}`);

self.addEventListener("install", (event) => {
  const asked = [...PAGES, ...FILES].map((url) => new Request(url, { cache: "reload", credentials: "same-origin" }));
  event.waitUntil(
    caches
      .open(`visit-${MARK}`)
      .then((cache) => cache.addAll(asked))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith("visit-") && n !== `visit-${MARK}`).map((n) => caches.delete(n))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const isPage = url.pathname === PAGE;
  if (!isPage && !FILES.includes(url.pathname)) return;
  const lang = url.searchParams.get("lang") === "en" ? "en" : "zh";
  const name = isPage ? `${PAGE}?lang=${lang}` : url.pathname;
  event.respondWith(caches.match(name).then((kept) => kept ?? fetch(event.request)));
});
