// Keeps the table's layers at the newest revision: one event stream, which also tells what changed in the scene files.

const AGAIN_MS = 30_000;

export class Live {
  constructor({ url, revisions = {}, onVersions, onScenes, onState }) {
    Object.assign(this, { url, revisions, onVersions, onScenes, onState });
    this.open();
  }

  open() {
    const { onScenes, onState, onVersions } = this;
    this.source = new EventSource(this.url);
    this.source.addEventListener("revisions", (event) => {
      const changed = JSON.parse(event.data);
      Object.assign(this.revisions, changed);
      onVersions(this.revisions, Object.keys(changed));
    });
    this.source.addEventListener("scenes", (event) => onScenes(JSON.parse(event.data)));
    this.source.onopen = () => onState(true);
    this.source.onerror = () => {
      onState(false);
      if (this.source.readyState === EventSource.CLOSED) this.ask(); // refused, not only interrupted
    };
  }

  /** Whether the session ended: then the page leads to the sign-in. Else there was no room: once more later. */
  async ask() {
    const answer = await fetch("/whoami", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) location.reload();
    else this.again = setTimeout(() => this.open(), AGAIN_MS);
  }

  close() {
    clearTimeout(this.again);
    this.source.close();
  }
}

/** Whether two addresses of scene files differ at most by their version. */
export function isSameScene(one, other) {
  const plain = (url) => url?.replace(/([?&]v=)\d+/, "$1");
  return plain(one) === plain(other);
}

/** The address of a scene file at the highest revision of the tables that it reads. */
export function sceneUrl(url, tables, revisions) {
  const version = Math.max(0, ...tables.map((table) => revisions[table] || 0));
  return url.replace(/([?&]v=)(\d+)/, (_, lead, known) => `${lead}${Math.max(version, Number(known))}`);
}
