// The round: what is to be visited, what waits to be sent, and how the day begins and ends.
import * as keep from "./keep.js";
import { ask, askForRound, sendAll } from "./send.js";
import { openStop } from "./stop.js";
import { drawMarks, getLang, getOther, make, say, sayTime, setLang, store } from "./words.js";

const box = document.getElementById("visit");
const wanted = new URL(location.href).searchParams.get("task");
const AGAIN_MS = 30_000;
const FORGOTTEN_MS = 12 * 3600e3;
let round = null; // {id, ends_utc, account, name, skew_s, order}
let offered = null; // what the office has for this account, when it could be asked
let state = ""; // how the last try to send ended
let isReady = false;
let isOpen = false; // a visit is on the screen: nothing is taken away under somebody's hand
let problem = "";
let drawn = ""; // the list that is on the screen
let drawing = 0; // the newest drawing of the list that was begun

const now = () => Date.now() + (round?.skew_s ?? 0) * 1000;
const isOver = () => round !== null && now() > Date.parse(round.ends_utc);

async function prepare() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/phone/visit/worker.js", { scope: "/phone/visit" });
    const registration = await navigator.serviceWorker.ready;
    isReady = Boolean(registration.active);
    await navigator.storage?.persist?.();
  } catch {
    isReady = false;
  }
}

async function load(tasks) {
  problem = "";
  await show(say("loading"));
  const before = Date.now();
  try {
    const { status, body } = await ask("/round", {
      method: "POST", body: JSON.stringify({ tasks }), headers: { "content-type": "application/json" },
    });
    if (status !== 200) throw new Error(status === 401 ? "sign_in" : "load_failed");
    const skew_s = (Date.parse(body.server_utc) - (before + Date.now()) / 2) / 1000;
    const order = [...new Set([...(round?.id === body.round.id ? round.order : []), ...body.stops.map((one) => one.id)])];
    if (round && round.id !== body.round.id) await keep.wipe();
    for (const stop of body.stops) await keep.put("stop", stop.id, stop);
    round = { ...body.round, account: body.account, name: body.name, marks: body.marks, skew_s, order };
    Object.assign(store, body.marks);
    await keep.put("round", "round", round);
    await keep.tellServer();
  } catch (error) {
    problem = ["sign_in", "load_failed"].includes(error.message) ? error.message : "offline";
  }
  await show();
}

// What the office says now: who is signed in, and whether the round still lasts there.
async function hear() {
  try {
    const { status, body, skew_s } = await askForRound();
    if (status === 401) state = "sign_in";
    if (status !== 200) return;
    offered = body;
    Object.assign(store, body.marks);
    const isOurs = round && body.account === round.account && body.round?.id === round.id;
    // What is half written is finished first: it is evidence, and nobody takes it back from a form.
    if (round && !isOurs && !isOpen && skew_s !== null && !(await keep.listIds("draft")).length) {
      round = null; // ended at the office, or somebody else's phone now
      await keep.wipe();
    }
  } catch {
    offered = null;
  }
}

async function send() {
  state = await sendAll(showIfFree);
  await showIfFree();
}

async function endRound() {
  problem = (await keep.listIds("draft")).length ? "begun" : "";
  if (problem) return void (await show());
  if (!window.confirm(say("end_sure"))) return;
  await keep.append({ kind: "end", key: crypto.randomUUID(), task: "", account: round.account });
  round = null;
  await keep.wipe();
  await send();
  await hear();
  await show();
}

async function drawHead() {
  const waiting = await keep.count();
  const badge = make(
    "button",
    { id: "waiting", class: waiting ? "some" : "", "data-count": String(waiting), on: { click: send } },
    say(waiting ? "waiting" : "all_sent", { n: waiting }),
  );
  document.title = waiting ? `(${waiting}) ${say("title")}` : say("title");
  return [
    ...drawMarks(),
    make(
      "header",
      {},
      make("h1", {}, say("title")),
      make("button", { id: "language", on: { click: change } }, say("other_language")),
    ),
    make("div", { class: "line" }, badge, make("span", { id: "ready", "data-ready": String(isReady && round !== null) }, say(isReady ? "ready" : "not_ready"))),
    ["sign_in", "other"].includes(state) && waiting
      ? make("p", { class: "notice" }, say(`state_${state}`), " ", make("a", { href: "/login?next=/phone/visit" }, say("sign_in")))
      : null,
    problem ? make("p", { class: "notice" }, say(`problem_${problem}`)) : null,
  ];
}

async function drawRefused() {
  const refused = await keep.list("refused");
  return refused.map((one) =>
    make(
      "div",
      { class: "part refused" },
      make("p", {}, say("refused", { why: one.why })),
      make("button", { on: { click: () => discard(one) } }, say("refused_discard")),
    ),
  );
}

async function discard(one) {
  if (!window.confirm(say("refused_sure"))) return;
  if (one.photo) await keep.drop("photo", one.photo);
  await keep.drop("refused", one.key);
  await keep.tellServer();
  await show();
}

async function findMarks() {
  const waiting = await keep.list("out");
  const done = await keep.list("done");
  const marks = {};
  for (const one of [...done, ...waiting.map((item) => ({ ...item, waits: true }))]) {
    if (one.kind === "visit" || (one.kind === "nobody_home" && marks[one.task]?.kind !== "visit")) marks[one.task] = one;
  }
  return marks;
}

async function drawList() {
  const marks = await findMarks();
  const drafts = new Set(await keep.listIds("draft"));
  const stops = (await Promise.all(round.order.map((id) => keep.get("stop", id)))).filter(Boolean);
  const rank = (stop) => (marks[stop.id]?.kind === "visit" ? 2 : marks[stop.id] ? 1 : 0);
  stops.sort((a, b) => rank(a) - rank(b));
  const left = stops.filter((one) => rank(one) < 2).length;
  const cards = stops.map((stop, number) => {
    const mark = marks[stop.id];
    const told = mark ? say(mark.waits ? `mark_${mark.kind}_waits` : mark.kept ? "mark_kept" : `mark_${mark.kind}`) : drafts.has(stop.id) ? say("mark_draft") : "";
    const look = (stop.parts[getLang()] ?? []).find((part) => part.code === "look")?.lines[0] ?? "";
    return make(
      "button",
      { class: "stop", "data-task": stop.id, "data-mark": mark?.kind ?? "", on: { click: () => openVisit(stop) } },
      make("span", { class: "seat" }, rank(stop) === 2 ? "✓" : String(number + 1)),
      make("span", { class: "words" }, make("strong", {}, stop.place), make("small", {}, [say(`kind_${stop.kind}`), say("due", { at: sayTime(stop.due_utc) }), look].filter(Boolean).join(" · ")), told ? make("em", {}, told) : null),
    );
  });
  return [
    make("p", { class: "lead" }, say("round_line", { name: round.name, at: sayTime(round.ends_utc), n: left, all: stops.length })),
    ...cards,
    make("div", { class: "acts low" }, ...drawMore(), make("button", { id: "end", on: { click: endRound } }, say("end"))),
  ];
}

// Visits that the office has and this phone has not: a new task, or the first load.
function drawMore() {
  const missing = (offered?.tasks ?? []).filter((one) => !round?.order.includes(one.id)).slice(0, store.most);
  if (!missing.length) return [];
  const label = say(round ? "load_more" : "load", { n: missing.length });
  return [make("button", { class: round ? "" : "main", id: "load", on: { click: () => load(missing.map((one) => one.id)) } }, label)];
}

function drawOffer() {
  if (!offered) return [make("p", { class: "notice" }, say(state === "sign_in" ? "state_sign_in" : "no_round_offline"))];
  const rows = offered.tasks.map((one) =>
    make("li", {}, make("strong", {}, one.place), make("small", {}, `${say(`kind_${one.kind}`)} · ${say("due", { at: sayTime(one.due_utc) })}`)),
  );
  return [
    make("p", { class: "lead" }, say(rows.length ? "offer" : "offer_none", { name: offered.name })),
    make("ol", { class: "offer" }, rows),
    make("div", { class: "acts low" }, ...drawMore()),
  ];
}

async function openVisit(stop) {
  isOpen = true;
  drawn = "";
  const finish = async (how) => {
    isOpen = false;
    if (how === "nobody_home") {
      round.order = [...round.order.filter((id) => id !== stop.id), stop.id];
      await keep.put("round", "round", round);
    }
    await leaveIfOver();
    await show();
    if (how !== "left") await send();
  };
  await openStop(box, stop, { account: round.account, skew_s: round.skew_s }, finish);
}

async function leaveIfOver() {
  if (!isOver() || isOpen) return;
  // A form that somebody began is finished first, but does not keep the packs here for ever.
  const isForgotten = now() > Date.parse(round.ends_utc) + FORGOTTEN_MS;
  if (!isForgotten && (await keep.listIds("draft")).length) return;
  round = null;
  await keep.wipe();
}

async function change() {
  setLang(getOther());
  history.replaceState(null, "", `?lang=${getLang()}`);
  await show();
}

async function showIfFree() {
  if (!isOpen) await show();
}

async function show(note = "") {
  const mine = ++drawing;
  const body = note ? [make("p", { class: "lead" }, note)] : round ? await drawList() : drawOffer();
  const head = await drawHead();
  const refused = await drawRefused();
  // Meanwhile a visit was opened, or what is newer was begun: what is older must not take its place.
  if (isOpen || mine !== drawing) return;
  const nodes = [...head, ...refused, ...body].filter(Boolean);
  const text = nodes.map((one) => one.outerHTML).join("");
  if (text === drawn) return; // a finger may be on it: what is taken away under a finger is not pressed
  drawn = text;
  box.replaceChildren(...nodes);
}

async function start() {
  setLang(getLang());
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) {
    box.replaceChildren(make("p", { class: "notice" }, say("needs_https")));
    return;
  }
  round = await keep.get("round", "round");
  Object.assign(store, round?.marks ?? {});
  await leaveIfOver();
  await show();
  await Promise.all([prepare(), hear()]);
  if (wanted && round?.order.includes(wanted)) await openVisit(await keep.get("stop", wanted));
  else if (wanted && offered) await load([wanted]).then(async () => {
    const stop = await keep.get("stop", wanted);
    if (stop && round) await openVisit(stop);
  });
  await showIfFree();
  await send();
  addEventListener("online", () => hear().then(send));
  setInterval(async () => {
    await leaveIfOver();
    if (await keep.count()) await send();
  }, AGAIN_MS);
}

start();
