// The phone's half of a check-in: takes it down, signs it with the card's secret, keeps it until the server has it.
// What it knows of a person stays in the phone.

const words = JSON.parse(document.getElementById("words").textContent);
const at = (id) => document.getElementById(id);
const CARD = "shapan-card", QUEUE = "shapan-queue", POINTS = "shapan-points", LOG = "shapan-log", ASIDE = "shapan-aside";
const FIELDS = ["id", "point", "card", "code", "at", "lat", "lon", "acc", "photo"];
const PHOTO_SIDE_PX = 1280;
let points = [], sending = false, restUntil = 0;

const read = (name, otherwise) => { try { return JSON.parse(localStorage.getItem(name)) ?? otherwise; } catch { return otherwise; } };
const keep = (name, value) => localStorage.setItem(name, JSON.stringify(value));
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// The card comes with the address of its code (#c=NUMBER.SECRET), or is typed once.
function readCard(text) {
  const found = /(\d{7})[.\-]([A-Z2-7]{16})/.exec(String(text).toUpperCase());
  return found ? { number: found[1], secret: found[2] } : null;
}

async function sign(plain, secret) {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const text = ["shapan-checkin-1", ...FIELDS.map((name) => plain[name])].join("\n");
  return { ...plain, mac: hex(await crypto.subtle.sign("HMAC", key, encoder.encode(text))) };
}

function locate() {
  return new Promise((resolve) => {
    if (!navigator.geolocation) { resolve(null); return; }
    navigator.geolocation.getCurrentPosition(
      (found) => resolve(found.coords), () => resolve(null),
      { enableHighAccuracy: true, timeout: 12000, maximumAge: 30000 });
  });
}

async function readPhoto() {
  const file = at("photo").files[0];
  if (!file) return null;
  const image = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_SIDE_PX / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.7).split(",")[1];
}

function show(kind, text) {
  at("result").hidden = false;
  at("result").className = `result ${kind}`;
  at("result").textContent = text;
}

function draw() {
  const waiting = read(QUEUE, []).length;
  const line = at("line");
  const aside = read(ASIDE, []).length;
  line.textContent = !navigator.onLine ? say("offline", { n: waiting }) : waiting ? say("waiting", { n: waiting })
    : aside ? say("set_aside", { n: aside }) : "";
  line.className = navigator.onLine ? "line" : "line away";
  const point = points.find((one) => one.point_id === at("point").value);
  at("facts").textContent = point
    ? `${say("hours", { from: point.hours_from, to: point.hours_to })} · ${say("points_each", { n: point.points })}` : "";
  at("photo-part").hidden = !point?.photo_wanted;
  const log = read(LOG, []).map((one) => {
    const item = document.createElement("li");
    item.textContent = `${one.when} ${one.name} · ${say(one.sent ? "sent" : "saved")}`;
    return item;
  });
  at("log").replaceChildren(...log);
}

function fillPoints() {
  const wanted = new URLSearchParams(location.search).get("p") ?? at("point").value;
  const options = points.map((one) => new Option(one.name, one.point_id, false, one.point_id === wanted));
  at("point").replaceChildren(...(options.length ? options : [new Option(say("no_points"), "")]));
  draw();
}

async function loadPoints() {
  points = read(POINTS, []);
  fillPoints();
  try {
    const answer = await fetch("/points.json");
    if (!answer.ok) return;
    points = (await answer.json()).points;
    keep(POINTS, points);
    fillPoints();
  } catch { /* no net: what was known last is shown */ }
}

// Sends what waits, oldest first; what was acknowledged leaves the queue, all else stays. A server that has too much to do
// says when to come again. One that it cannot take stops no other: it is tried alone, then laid aside, never lost.
async function send() {
  if (sending || !navigator.onLine || Date.now() < restUntil) return;
  sending = true;
  let most = 20;
  try {
    for (let queue = read(QUEUE, []); queue.length; queue = read(QUEUE, [])) {
      const items = queue.slice(0, queue[0].photo ? 1 : most);
      const answer = await fetch("/checkins", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ items }) });
      if (answer.status === 429 || answer.status === 503) {
        const rest = 1000 * Math.min(900, Number(answer.headers.get("retry-after")) || 20);
        restUntil = Date.now() + rest;
        setTimeout(send, rest + 100);
        show("wait", say("busy"));
        break;
      }
      if ([400, 413].includes(answer.status)) {
        if (items.length > 1) { most = 1; continue; }
        keep(ASIDE, [...read(ASIDE, []), items[0]]);
        keep(QUEUE, read(QUEUE, []).filter((one) => one.record.id !== items[0].record.id));
        continue;
      }
      if (!answer.ok) break;
      const taken = new Set((await answer.json()).taken);
      keep(QUEUE, read(QUEUE, []).filter((one) => !taken.has(one.record.id)));
      keep(LOG, read(LOG, []).map((one) => (taken.has(one.id) ? { ...one, sent: true } : one)));
      show("", say("sent"));
    }
  } catch { /* no net: it stays in the queue */ } finally {
    sending = false;
    draw();
  }
}

async function checkIn() {
  const point = points.find((one) => one.point_id === at("point").value);
  const card = readCard(at("card").value) ?? readCard(read(CARD, ""));
  if (!point) { show("bad", say("choose")); return; }
  if (!card) { show("bad", say("card_bad")); return; }
  const code = at("code").value.trim();
  if (!/^\d{4}$/.test(code)) { show("bad", say("code_bad")); return; }
  if (point.photo_wanted && !at("photo").files[0]) { show("bad", say("photo_needed")); return; }
  at("do").disabled = true;
  show("wait", say("locating"));
  try {
    keep(CARD, `${card.number}.${card.secret}`);
    const coords = await locate();
    const photo = point.photo_wanted ? await readPhoto() : null;
    const now = new Date();
    const plain = {
      id: `ph-${hex(crypto.getRandomValues(new Uint8Array(12)))}`, point: point.point_id, card: card.number, code,
      at: now.toISOString(), lat: coords ? coords.latitude.toFixed(7) : "", lon: coords ? coords.longitude.toFixed(7) : "",
      acc: coords && Number.isFinite(coords.accuracy) ? Math.min(coords.accuracy, 9999999).toFixed(1) : "",
      photo: photo ? hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(photo))) : "" };
    const record = await sign(plain, card.secret);
    keep(QUEUE, [...read(QUEUE, []), photo ? { record, photo } : { record }]);
    const when = now.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
    keep(LOG, [{ id: record.id, name: point.name, when, sent: false }, ...read(LOG, [])].slice(0, 5));
    show("wait", say(coords ? "saved" : "no_position"));
    at("code").value = "";
    at("photo").value = "";
    drawCard();
    await send();
  } finally {
    at("do").disabled = false;
    draw();
  }
}

function drawCard() {
  const card = readCard(read(CARD, ""));
  at("card").value = "";
  at("card").placeholder = card ? `${card.number.slice(0, 3)} ${card.number.slice(3)}` : say("card_none");
}

const fromAddress = readCard(location.hash);
if (fromAddress) {
  keep(CARD, `${fromAddress.number}.${fromAddress.secret}`);
  history.replaceState(null, "", location.pathname + location.search); // the secret does not stay in the address
}
at("do").addEventListener("click", checkIn);
at("point").addEventListener("change", draw);
at("forget").addEventListener("click", () => { localStorage.removeItem(CARD); localStorage.removeItem(LOG); drawCard(); draw(); });
addEventListener("online", () => { draw(); send(); loadPoints(); });
addEventListener("offline", draw);
navigator.serviceWorker?.register("/worker.js").catch(() => { /* an older phone: it works while the page is open */ });
drawCard();
loadPoints().then(send);
setInterval(send, 20000); // "online" is not always told
