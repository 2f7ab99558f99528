// Scenes that only the layer of their own name shows, off at first: fetched once that is switched on, and not kept true before.

const NAMES = ["freshness", "due_visits"];

export class Seldom {
  constructor(table) {
    this.table = table;
  }

  isWanted(name) {
    return !NAMES.includes(name) || this.table.isOn(name);
  }

  /** Those of `names` that are fetched now; the others are, anew, when they are switched on. */
  pickWanted(names) {
    for (const name of names) if (!this.isWanted(name)) this.table.store.forget(name);
    return names.filter((name) => this.isWanted(name));
  }

  /** Take out of `changes` what would have to be asked for and is not looked at. */
  holdBack(changes) {
    for (const name of Object.keys(changes)) {
      if (changes[name] || this.isWanted(name)) continue;
      this.table.store.forget(name);
      delete changes[name];
    }
  }

  /** What was switched on and is not here yet; when that fails, the next refresh tries again. */
  async fetchMissing() {
    const { store } = this.table;
    const missing = NAMES.filter((name) => this.isWanted(name) && !store.loaded[name]);
    await this.table.loadScenes(missing).catch(() => null);
    const come = missing.filter((name) => store.loaded[name]);
    if (come.length) this.table.showChanged(come);
  }
}
