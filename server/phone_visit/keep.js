// What stays on the phone, each record sealed with a key that no script can read out (AES-GCM, not extractable).
// Kinds: round, stop (a pack), draft, photo, out (what is to be sent, in order), done, refused.
const NAME = "shapan-visit";
const RECORDS = "records";
const KEYS = "keys";
let opening = null;

function wait(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(RECORDS, { keyPath: "id" });
      request.result.createObjectStore(KEYS);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function transact(name, mode, work) {
  const transaction = (await open()).transaction(name, mode);
  const result = await work(transaction.objectStore(name));
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  return result;
}

async function getKey() {
  const known = await transact(KEYS, "readonly", (keys) => wait(keys.get("seal")));
  if (known) return known;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  // Two pages that begin at once agree on the first key that was written.
  return transact(KEYS, "readwrite", async (keys) => {
    const there = await wait(keys.get("seal"));
    if (!there) await wait(keys.put(made, "seal"));
    return there ?? made;
  });
}

const range = (kind) => IDBKeyRange.bound(`${kind}/`, `${kind}0`); // "0" comes after "/"

export async function put(kind, id, value) {
  const bytes = value instanceof ArrayBuffer ? value : new TextEncoder().encode(JSON.stringify(value));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const name = new TextEncoder().encode(`${kind}/${id}`); // sealed with its name: no record can stand in for another
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: name }, await getKey(), bytes);
  await transact(RECORDS, "readwrite", (records) => wait(records.put({ id: `${kind}/${id}`, iv, data })));
}

async function unseal(record) {
  const additionalData = new TextEncoder().encode(record.id);
  return crypto.subtle.decrypt({ name: "AES-GCM", iv: record.iv, additionalData }, await getKey(), record.data);
}

export async function getBytes(kind, id) {
  const record = await transact(RECORDS, "readonly", (records) => wait(records.get(`${kind}/${id}`)));
  return record ? unseal(record) : null;
}

export async function get(kind, id) {
  const bytes = await getBytes(kind, id);
  return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null;
}

export async function listIds(kind) {
  const ids = await transact(RECORDS, "readonly", (records) => wait(records.getAllKeys(range(kind))));
  return ids.map((id) => id.slice(kind.length + 1));
}

export async function list(kind) {
  const ids = await listIds(kind);
  return Promise.all(ids.map((id) => get(kind, id)));
}

export function drop(kind, id) {
  return transact(RECORDS, "readwrite", (records) => wait(records.delete(`${kind}/${id}`)));
}

async function dropAll(kind) {
  await transact(RECORDS, "readwrite", (records) => wait(records.delete(range(kind))));
}

// In the order in which they were made, whatever the phone's clock does meanwhile.
export async function append(value) {
  const ids = await listIds("out");
  const last = ids.length ? Number(ids[ids.length - 1]) : 0;
  await put("out", String(last + 1).padStart(9, "0"), value);
  await tellServer();
}

export const count = async () => (await listIds("out")).length;

// What the server has not taken: what waits, and what it refused and nobody has put aside yet.
const countHeld = async () => (await count()) + (await listIds("refused")).length;

// The round is over: packs and what was half written go; what the server has not taken stays until it is dealt with.
export async function wipe() {
  for (const kind of ["stop", "round", "draft", "done"]) await dropAll(kind);
  const held = [...(await list("out")), ...(await list("refused"))].map((one) => one.photo);
  for (const id of await listIds("photo")) if (!held.includes(id)) await drop("photo", id);
  if (!(await countHeld())) await transact(KEYS, "readwrite", (keys) => wait(keys.clear()));
  await tellServer();
}

// The page of signing out asks first where something waits here, and empties the phone where nothing does.
export async function tellServer() {
  const waiting = await countHeld();
  const age = waiting || (await listIds("round")).length ? "" : "; max-age=0";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `shapan_visit=${waiting}; path=/; SameSite=Strict${secure}${age}`;
}
