// The right rail's upper part: open incidents in their order with running clocks, the chime's button, and what is not drawn.
import { el } from "./hud.js";

const LEFT_SHOWN_MS = 3600_000; // the bar of what is left to the target: full at an hour

export class AlarmList {
  /** `act`: choose(id), turn(step), sound(). `t(key)` is the catalogue, `say(alarm)` the words of an alarm. */
  constructor(root, t, act, say) {
    Object.assign(this, { root, t, act, say, rows: new Map() });
    this.sound = el("button", { type: "button", class: "sp-sound", "data-act": "sound", onclick: act.sound });
    this.title = el("h2", {});
    this.list = el("ol", {});
    this.rest = el("div", { class: "sp-alarm-rest" });
    root.append(el("header", {}, this.title, this.sound), this.list, this.rest);
    this.observer = new ResizeObserver(() => document.documentElement.style.setProperty("--sp-alarms-height", `${root.offsetHeight}px`));
    this.observer.observe(root);
  }

  fill(key, values) {
    return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), this.t(key));
  }

  /** `page` holds the alarms of this page; `state` what else there is to say. Only what changed is made anew. */
  show(page, state) {
    const { counts, hidden, chosen } = state;
    const stood = this.list.contains(document.activeElement) ? document.activeElement.dataset.alarm : null;
    const rows = hidden ? [] : page.map((alarm, i) => this.findRow(alarm, i + 1, chosen === alarm.id));
    this.rows = new Map(rows.map((row) => [row.alarm.id, row]));
    for (const [i, { node }] of rows.entries()) if (this.list.children[i] !== node) this.list.insertBefore(node, this.list.children[i] ?? null);
    while (this.list.children.length > rows.length) this.list.lastChild.remove();
    this.keepFocus(stood);
    this.list.hidden = hidden;
    this.root.dataset.loud = counts.loud ? "yes" : "no";
    const told = JSON.stringify([state, rows.length, this.t("alarms.title")]);
    if (told === this.told) return;
    this.told = told;
    this.title.replaceChildren(this.t("alarms.title"), el("span", { class: "sp-alarm-count" }, counts.open ? this.fill("alarms.count", counts) : ""));
    this.showRest(state);
  }

  /** Who stands on an alarm's row with the keyboard stays on it, though the row was made anew or went elsewhere in the list. */
  keepFocus(id) {
    const button = id && this.rows.get(id)?.node.querySelector("button");
    if (button && document.activeElement !== button) button.focus({ preventScroll: true });
  }

  /** Which page, what is not shown, and how to choose. */
  showRest({ counts, pages, number, hidden, stale, known }) {
    const { t, act } = this;
    const notes = [
      stale && this.fill("alarms.stale", { time: stale }),
      hidden && counts.open && t("alarms.hidden"),
      !hidden && counts.not_drawn && this.fill("alarms.not_drawn", { count: counts.not_drawn, most: counts.drawn }),
      !hidden && counts.unplaced && this.fill("alarms.unplaced", { count: counts.unplaced }),
      counts.done && this.fill("alarms.done", { count: counts.done }),
    ].filter(Boolean);
    const turn = pages > 1 && !hidden
      ? el("div", { class: "sp-alarm-turn" },
        el("button", { type: "button", class: "sp-button", "data-act": "alarms-back", "aria-label": t("alarms.page_back"), title: t("alarms.page_back"), onclick: () => act.turn(-1) }, "‹"),
        el("span", {}, this.fill("alarms.page", { page: number + 1, pages })),
        el("button", { type: "button", class: "sp-button", "data-act": "alarms-next", "aria-label": t("alarms.page_next"), title: t("alarms.page_next"), onclick: () => act.turn(1) }, "›"))
      : null;
    this.rest.replaceChildren(
      counts.open || counts.done || !known ? "" : el("p", { class: "sp-alarm-none" }, t("alarms.none"), el("small", {}, stale ? "" : t("alarms.none_since"))),
      turn ?? "",
      ...notes.map((note) => el("p", { class: "sp-alarm-note" }, note)),
      counts.open && !hidden ? el("p", { class: "sp-alarm-keys" }, t("alarms.keys_list")) : "",
    );
  }

  /** The alarm's row as it stands; made anew if it says something else. */
  findRow(alarm, key, isChosen) {
    const says = JSON.stringify([alarm, key, isChosen, this.t(`alarms.state_${alarm.s}`)]);
    const before = this.rows.get(alarm.id);
    return before?.says === says ? before : { says, ...this.buildRow(alarm, key, isChosen) };
  }

  buildRow(alarm, key, isChosen) {
    const { t } = this;
    const [clock, left, bar] = [el("time", {}), el("span", { class: "sp-alarm-left" }), el("i", {})];
    const node = el("li", {},
      el("button", { type: "button", class: "sp-alarm", "data-alarm": alarm.id, "data-urgency": alarm.u, "data-quiet": String(alarm.l), "aria-current": isChosen ? "true" : null, onclick: () => this.act.choose(alarm.id) },
        el("kbd", {}, String(key)),
        el("b", { title: t(`alarms.urgency_${alarm.u}`) }, alarm.g ? el("i", { class: "sp-alarm-symbol", style: alarm.c ? `background:${alarm.c}` : null, "aria-hidden": "true" }, alarm.g) : null, el("span", {}, alarm.k), el("small", {}, [t(`alarms.state_${alarm.s}`), ...alarm.to].join(" · "))),
        clock,
        el("span", { class: "sp-alarm-place", title: alarm.p }, alarm.p),
        left,
        el("span", { class: "sp-alarm-bar", "aria-hidden": "true" }, bar)));
    return { alarm, node, clock, left, bar };
  }

  /** Once a second: only what moves. */
  tick(now) {
    for (const { alarm, clock, left, bar } of this.rows.values()) {
      const said = this.say(alarm, now);
      clock.textContent = said.clock;
      left.textContent = said.left;
      left.parentElement.dataset.over = said.over ? "yes" : "no";
      bar.style.width = alarm.due === null ? "0" : `${Math.round(100 * Math.max(0, Math.min(1, (alarm.due - now) / Math.min(LEFT_SHOWN_MS, Math.max(1, alarm.due - alarm.at)))))}%`;
    }
  }

  /** How the chime stands: on, silenced until when, or waiting for a touch. */
  showSound(state, until) {
    const told = JSON.stringify([state, until, this.t(`alarms.sound_${state}`)]);
    if (told === this.toldSound) return;
    this.toldSound = told;
    this.sound.dataset.sound = state;
    this.sound.title = state === "on" ? this.fill("alarms.sound_on_help", { time: until }) : state === "silent" ? this.t("alarms.sound_off_help") : state === "locked" ? this.t("alarms.sound_locked_help") : "";
    this.sound.replaceChildren(buildSpeaker(state), state === "silent" ? this.fill("alarms.sound_off", { time: until }) : this.t(`alarms.sound_${state}`));
  }
}

/** A loudspeaker: with waves, crossed out, or with a question. */
function buildSpeaker(state) {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round" };
  const parts = {
    on: ["M16 8.5a5 5 0 0 1 0 7M18.6 6a8.5 8.5 0 0 1 0 12"],
    silent: ["M16 9 22 15M22 9 16 15"],
    locked: ["M19 6v7M19 17v.6"],
    none: ["M16 9 22 15M22 9 16 15"],
  }[state];
  return el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
    el("path", { d: "M3 9v6h4l6 5V4L7 9Z", fill: "currentColor" }), ...parts.map((d) => el("path", { d, ...line })));
}
