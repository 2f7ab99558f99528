// Sending what waits, one after the other, each under its own key: the server answers a repeat as it did the first time.
import * as keep from "./keep.js";

const BASE = "/phone/visit";
let sending = null;

export async function ask(path, options = {}) {
  const answer = await fetch(`${BASE}${path}`, { cache: "no-store", redirect: "error", ...options });
  const body = (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : {};
  return { status: answer.status, body };
}

// What our clock and the phone's differ by, in seconds, from the middle of a question and its answer.
export async function askForRound() {
  const before = Date.now();
  const { status, body } = await ask("/round.json");
  const skew_s = status === 200 ? (Date.parse(body.server_utc) - (before + Date.now()) / 2) / 1000 : null;
  return { status, body, skew_s };
}

async function post(item) {
  if (item.kind === "end") return ask("/end", { method: "POST" });
  if (item.kind !== "photo") {
    return ask("/send", { method: "POST", body: item.body, headers: { "content-type": "application/json" } });
  }
  const picture = await keep.getBytes("photo", item.photo);
  if (!picture) return { status: 410, body: {} };
  const headers = { "content-type": "image/jpeg" };
  return ask(`/photo?${new URLSearchParams(item.query)}`, { method: "POST", body: picture, headers });
}

async function sendOne(id) {
  const item = await keep.get("out", id);
  if (!item) return "sent";
  let told;
  try {
    told = await post(item);
  } catch {
    return "offline";
  }
  if (told.status === 401) return "sign_in";
  if (told.status >= 500 || told.status === 429) return "later";
  if (told.status === 200) await keep.put("done", item.key, { task: item.task, kind: item.kind, ...told.body });
  // What the server will never take is shown, not tried for ever; its photo stays with it.
  else await keep.put("refused", item.key, { ...item, why: told.body.error?.message ?? String(told.status) });
  await keep.drop("out", id);
  if (item.photo && told.status === 200) await keep.drop("photo", item.photo);
  await keep.tellServer();
  return "sent";
}

// Returns how it ended: sent (all), offline, later, sign_in or other (another account is signed in).
export function sendAll(onChange) {
  sending ??= (async () => {
    try {
      const ids = await keep.listIds("out");
      if (!ids.length) return "sent";
      const { status, body } = await askForRound().catch(() => ({ status: 0 }));
      if (status !== 200) return status === 401 ? "sign_in" : "offline";
      for (const id of ids) {
        const item = await keep.get("out", id);
        if (item && item.account !== body.account) return "other";
        const how = await sendOne(id);
        await onChange();
        if (how !== "sent") return how;
      }
      return "sent";
    } finally {
      sending = null;
    }
  })();
  return sending;
}
