// The scene files in memory: each is fetched once, then kept true by the changes that the server tells.

const ranges = new WeakMap(); // of records after a change: what they were before, and which rows are others

export class Scenes {
  constructor() {
    this.content = {}; // by name, as the file says it
    this.numbers = {}; // by name: how often it was changed, so that the renderer looks again
    this.loaded = {}; // by name: the address that it is from
    this.waiting = {}; // by name: what has to be done before, so that no change overtakes the file that it belongs to
  }

  /** Have `name` from `url`; from the same address only once, unless `anew`. */
  load(name, url, anew = false) {
    return this.after(name, async () => {
      if (this.loaded[name] === url && !anew) return;
      const answer = await fetch(url, { credentials: "same-origin" });
      if (!answer.ok) return;
      this.loaded[name] = url;
      this.set(name, await answer.json());
    });
  }

  /** What the server told: by name a whole content, the records of some keys, or null where the file has to be asked for. */
  apply(changes, findUrl) {
    return Promise.all(Object.entries(changes).map(([name, change]) => {
      if (!(name in this.waiting)) return undefined; // never shown here
      if (!change) return this.load(name, findUrl(name), true);
      return this.after(name, () => this.set(name, "whole" in change ? change.whole : patch(this.content[name] ?? [], change)));
    }));
  }

  /** Have it fetched anew by whoever loads it next; what is shown of it stays until then. */
  forget(name) {
    return name in this.waiting ? this.after(name, () => delete this.loaded[name]) : undefined; // or never shown here
  }

  set(name, content) {
    this.content[name] = content;
    this.numbers[name] = (this.numbers[name] ?? 0) + 1;
  }

  after(name, work) {
    this.waiting[name] = (this.waiting[name] ?? Promise.resolve()).then(work, work);
    return this.waiting[name];
  }

  /** What a layer of the renderer's JSON is given as the place of its data; `without` is a building that is left out. */
  place(name, without = null) {
    return `scene:${name}:${this.numbers[name] ?? 0}${without ? `:${without}` : ""}`;
  }

  /** The renderer asks here for what is at such a place. */
  async find(place) {
    const [, name, , ...rest] = place.split(":");
    await this.waiting[name];
    const all = this.content[name] ?? [];
    const without = rest.join(":");
    return without && Array.isArray(all) ? all.filter((record) => record.id !== without && record.b !== without) : all;
  }

  /** Rows that the renderer has to reckon anew; null for all. */
  findRows(now, before) {
    const known = ranges.get(now);
    return known?.before === before ? known.rows : null;
  }
}

/** `before` with the records of `keys` replaced, each where its first one was; new ones at the end. */
export function patch(before, { keys, records }) {
  const gone = new Set(keys);
  const fresh = new Map();
  for (const record of records) fresh.set(record.id, [...(fresh.get(record.id) ?? []), record]);
  const now = [];
  for (const record of before) {
    if (!gone.has(record.id)) now.push(record);
    else if (fresh.has(record.id)) {
      now.push(...fresh.get(record.id));
      fresh.delete(record.id);
    }
  }
  for (const added of fresh.values()) now.push(...added);
  if (now.length === before.length) {
    const rows = [];
    now.forEach((record, i) => record !== before[i] && rows.push({ startRow: i, endRow: i + 1 }));
    ranges.set(now, { before, rows });
  }
  return now;
}
