// Keeps the table's layers at the newest revision: one event stream, and a new address only for what changed.

export class Live {
  constructor({ url, onVersions, onState }) {
    this.revisions = {};
    this.source = new EventSource(url);
    this.source.addEventListener("revisions", (event) => {
      const changed = JSON.parse(event.data);
      Object.assign(this.revisions, changed);
      onVersions(this.revisions, Object.keys(changed));
    });
    this.source.onopen = () => onState(true);
    this.source.onerror = () => onState(false);
  }

  close() {
    this.source.close();
  }
}

/** The address of a scene file at the highest revision of the tables that it reads. */
export function sceneUrl(url, tables, revisions) {
  const version = Math.max(0, ...tables.map((table) => revisions[table] || 0));
  return url.replace(/([?&]v=)(\d+)/, (_, lead, known) => `${lead}${Math.max(version, Number(known))}`);
}
