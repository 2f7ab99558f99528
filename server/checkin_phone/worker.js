// Keeps the page for a phone without net: asks the server first, and gives what was kept when there is no answer.

const KEPT = "shapan-checkin-1";
const FILES = ["/", "/phone.js", "/phone.css"];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES)));
});
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !FILES.includes(url.pathname)) return;
  event.respondWith(
    fetch(request)
      .then((answer) => {
        const copy = answer.clone();
        if (answer.ok) caches.open(KEPT).then((cache) => cache.put(url.pathname, copy));
        return answer.ok ? answer : caches.match(url.pathname).then((kept) => kept ?? answer); // it is busy: as without net
      })
      .catch(() => caches.match(url.pathname)));
});
