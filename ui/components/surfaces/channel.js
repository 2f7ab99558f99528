// One device's line to its group: pairs by a code, hears what is said, says what is chosen, comes back by itself.

const AGAIN_MS = 3_000;

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
  });
  const value = await answer.json().catch(() => ({}));
  if (answer.ok) return value;
  throw Object.assign(new Error(value.error?.message), { kind: value.error?.kind || "Failed", status: answer.status });
}

export class Channel {
  /**
   * `surface`: wall, second, desk or tablet. Called back are `onState({paired, why, online, members})` whenever one of
   * them changes, and `onSay(topic, value, {first, by})`; `first` is what was said before this device came.
   */
  constructor(surface, { onState, onSay }) {
    Object.assign(this, { surface, onState, onSay, paired: false, why: null, online: false, members: {}, said: {} });
  }

  /** Whether this device is paired already, as after a reload; then it listens. */
  async start() {
    const answer = await fetch(`/pair/state?as=${this.surface}`, { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401 && this.surface !== "wall") {
      location.reload(); // the session ended: the page leads to the sign-in
      return;
    }
    if (!answer?.ok) {
      this.again = setTimeout(() => this.start(), AGAIN_MS); // the server restarts
      this.tell({ online: false });
      return;
    }
    const { paired, why } = await answer.json();
    this.tell({ paired, why: paired ? null : why, members: paired ? this.members : {} });
    if (paired) this.listen();
  }

  listen() {
    this.source?.close();
    const source = (this.source = new EventSource(`/pair/stream?as=${this.surface}`));
    const read = (event) => JSON.parse(event.data);
    source.onopen = () => this.tell({ online: true });
    source.onerror = () => {
      source.close();
      if (this.source !== source) return;
      this.tell({ online: false });
      this.again = setTimeout(() => this.start(), AGAIN_MS / 3);
    };
    source.addEventListener("hello", (event) => {
      this.me = read(event).me;
      for (const [topic, message] of Object.entries(read(event).said)) this.hear(topic, message, true);
    });
    source.addEventListener("say", (event) => {
      for (const [topic, message] of Object.entries(read(event))) this.hear(topic, message, false);
    });
    source.addEventListener("members", (event) => this.tell({ members: read(event) }));
    source.addEventListener("gone", (event) => {
      source.close();
      this.source = null;
      this.said = {};
      this.tell({ paired: false, why: read(event).why, members: {} });
    });
  }

  hear(topic, { n, value, by, who }, first) {
    if ((this.said[topic]?.n ?? 0) >= n) return;
    this.said[topic] = { n, value };
    if (who !== this.me || first) this.onSay(topic, value, { first, by });
  }

  /** Say it to the group, unless it is what was heard last. */
  async say(topic, value) {
    if (!this.paired) return;
    if (topic !== "camera" && JSON.stringify(this.said[topic]?.value) === JSON.stringify(value)) return;
    try {
      const { n } = await post("/pair/say", { as: this.surface, topic, value });
      if ((this.said[topic]?.n ?? 0) < n) this.said[topic] = { n, value };
    } catch (error) {
      if (error.status === 410 || error.status === 401) this.start();
    }
  }

  /** Pair by a code; throws an error whose `kind` says why not. */
  async join(code) {
    await post("/pair/join", { as: this.surface, code });
    await this.start();
  }

  /** For the wall: a new code, {code, seconds}. */
  async showCode() {
    const code = await post("/pair/code", {});
    if (!this.source) await this.start();
    return code;
  }

  async leave() {
    await post("/pair/leave", { as: this.surface });
    this.close();
    this.said = {};
    this.tell({ paired: false, why: "left", members: {} });
  }

  tell(changes) {
    Object.assign(this, changes);
    const { paired, why, online, members } = this;
    this.onState({ paired, why, online, members });
  }

  close() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }
}

/** The form that takes a code; `t` is the catalogue, `el` makes elements. */
export function buildJoin({ channel, t, el }) {
  const problem = el("p", { class: "sf-problem", role: "alert" });
  const code = el("input", {
    class: "sf-code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, pattern: "[0-9 ]*", "aria-label": t("surfaces.code"),
    placeholder: "······",
  });
  const button = el("button", { class: "sf-button sf-main", type: "submit" }, t("surfaces.join"));
  const form = el("form", {
    class: "sf-join",
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      problem.textContent = "";
      try {
        await channel.join(code.value);
      } catch (error) {
        const known = { CodeRefusedError: "refused", TooOftenError: "too_often", NotSignedIn: "signed_out", NotAllowedError: "not_allowed" };
        problem.textContent = t(`surfaces.join_${known[error.kind] || "failed"}`);
        code.select();
      } finally {
        button.disabled = false;
      }
    },
  }, code, button, problem);
  return { form, code };
}
