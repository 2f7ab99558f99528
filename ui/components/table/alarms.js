// Open incidents on the wall: told by the stream as soon as they change, lit, listed, sounded, picked by click or number pad.
import { AlarmList } from "./alarm_list.js";
import { AlarmPanel } from "./alarm_panel.js";
import { Beacons, nextFrame } from "./beacons.js";
import { Chime } from "./chime.js";
import { sceneUrl } from "./live.js";
import { Ways } from "./ways.js";

const KNOWN = "shapan.alarms"; // ids that were loud when this screen last looked: what came while it was dark still sounds
const PAGE = 9;
const AGAIN_MS = 2000;
const NONE = { flies: false, shift: [8, 12], counts: { open: 0, loud: 0, done: 0, unplaced: 0, not_drawn: 0, drawn: 0 }, alarms: [] };
const PHONE_ROWS = 1;

export class Alarms {
  constructor(table) {
    Object.assign(this, { table, scene: NONE, page: 0, chosen: null, aheadMs: 0, lit: {}, lostAt: null, known: readKnown(), wanted: false, running: null });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "sp-beacons";
    this.side = document.createElement("section");
    this.side.className = "sp-alarms";
    table.chrome.before(this.canvas);
    const panel = document.createElement("section");
    panel.className = "sp-alarm-panel";
    table.host.append(this.side, panel);
    const t = (key) => table.data.strings[key] ?? "";
    this.t = t;
    this.beacons = new Beacons(this.canvas, table.data.frame, (alarm) => this.label(alarm));
    this.ways = new Ways(table.data.frame, () => this.beacons.drawSoon());
    this.beacons.under = (context, viewport, rem, font, covers) => !this.hidden && this.ways.draw(context, viewport, rem, { now: this.now, fill: (key, values = {}) => this.list.fill(key, values), covers, font });
    this.chime = new Chime(() => this.showSound());
    this.list = new AlarmList(this.side, t, { choose: (id) => this.choose(id), turn: (step) => this.turn(step), sound: () => this.chime.press() }, (alarm, now) => this.say(alarm, now));
    this.panel = new AlarmPanel(panel, (key, values = {}) => this.list.fill(key, values), {
      close: () => this.shutPanel(), lang: () => table.data.lang, clock: (alarm) => this.say(alarm).clock,
    });
    this.onTouch = () => this.chime.unlock();
    this.onKey = (event) => this.handleKey(event);
    for (const name of ["pointerdown", "keydown", "touchend"]) window.addEventListener(name, this.onTouch, { capture: true, passive: true });
    window.addEventListener("keydown", this.onKey, true);
    this.show();
  }

  // ---- what is open ------------------------------------------------------------------------------------------------

  get isAny() {
    return this.scene.counts.open > 0;
  }

  get isLoud() {
    return this.scene.counts.loud > 0;
  }

  /** Now by the server's clock, ms: a wall's own may be minutes off. */
  get now() {
    return Date.now() + this.aheadMs;
  }

  /** Fetch what is open; one at a time, and once more when something changed meanwhile. */
  load() {
    this.wanted = true;
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
    return this.running.then(() => this.seen);
  }

  async run() {
    while (this.wanted) {
      this.wanted = false;
      const { data, live } = this.table;
      const url = sceneUrl(data.alarms, data.sceneTables.alarms, live?.revisions ?? {});
      const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
      if (!answer?.ok) {
        this.again = setTimeout(() => this.load(), AGAIN_MS);
        return;
      }
      const said = Date.parse(answer.headers.get("date"));
      if (said) this.aheadMs = Math.abs(said - Date.now()) < 1500 ? 0 : said - Date.now();
      this.seen = this.receive(await answer.json()); // not awaited: the next is on its way while this one is drawn
    }
  }

  onVersions(changed) {
    this.ways.onVersions(changed);
    if (this.panel.isOpen && changed.includes("dispatches")) this.panel.ask();
  }

  /** What the server told with its event; where it was too much to tell, it is fetched. Done when it can be seen. */
  async onScenes({ alarms }) {
    if (alarms?.whole) await this.receive(alarms.whole);
    else if (alarms === null) await this.load();
  }

  /** Show it at once on our own sheet; the table's words, which make room for it, are written after that. */
  async receive(scene) {
    this.take(scene);
    await this.beacons.placeSoon();
    await nextFrame(); // then the picture before it is on its way to the screen
    const at = Date.now();
    for (const { id } of scene.alarms) this.lit[id] ??= at;
    this.table.pace.makeRoomSoon();
  }

  setOnline(on) {
    this.lostAt = on ? null : this.lostAt ?? Date.now();
    this.show();
  }

  take(scene) {
    this.scene = scene;
    this.chime.shift = scene.shift;
    const loud = scene.alarms.filter((alarm) => alarm.l === 0);
    const fresh = this.known ? loud.filter((alarm) => !this.known.has(alarm.id)) : [];
    if (fresh.length || this.known?.size !== loud.length) localStorage.setItem(KNOWN, JSON.stringify(loud.map((alarm) => alarm.id)));
    this.known = new Set(loud.map((alarm) => alarm.id));
    if (this.chosen && !scene.alarms.some((alarm) => alarm.id === this.chosen)) this.letGo();
    this.page = Math.min(this.page, this.pages - 1);
    if (loud.length && this.table.rest.byIdle) this.table.rest.setVisiting(false);
    this.show();
    this.beacons.set(this.hidden ? [] : scene.alarms);
    if (fresh.length) this.announce(fresh);
  }

  announce(fresh) {
    this.chime.ring(fresh.map((alarm) => alarm.u));
    const first = fresh.find((alarm) => alarm.x);
    if (this.scene.flies && first && this.table.instance && !this.hidden) this.flyTo(first);
  }

  // ---- on the table ------------------------------------------------------------------------------------------------

  /** Before visitors no place of an incident is shown. */
  get hidden() {
    return this.table.visiting;
  }

  /** The table changed what it may show. */
  setHidden() {
    if (this.hidden) this.letGo();
    this.show();
    this.beacons.set(this.hidden ? [] : this.scene.alarms);
    this.beacons.placeSoon();
  }

  place(viewport, rem, insets, frames) {
    this.beacons.place(viewport, rem, insets, frames);
  }

  hit(x, y) {
    const id = this.beacons.hit(x, y);
    return id ? { kind: "incident", id } : null;
  }

  /** Places for the small map: {x, loud}. */
  get marks() {
    return this.beacons.alarms.map((alarm) => ({ x: alarm.x, loud: alarm.l === 0 }));
  }

  flyTo(alarm) {
    const { camera } = this.table;
    const [x, y] = alarm.x;
    const radius = alarm.rings ? 38 : 70;
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) => [x + u * radius, y + v * radius]);
    const points = [...corners, ...(alarm.rings ? corners.map((corner) => [...corner, alarm.top]) : [])]; // the ninth floor, too
    const { pitch, bearing } = camera.now;
    camera.go(camera.fit(points, { pitch, bearing, insets: this.table.insets(), maxZoom: 19.5 }));
  }

  // ---- words -------------------------------------------------------------------------------------------------------

  say(alarm, now = this.now) {
    const leftMs = alarm.due === null ? null : alarm.due - now;
    const over = leftMs !== null && leftMs < 0;
    const left = leftMs === null ? "" : this.list.fill(over ? "alarms.over" : "alarms.left", { time: this.duration(Math.abs(leftMs)) });
    return { clock: this.duration(now - alarm.at), left, over };
  }

  label(alarm) {
    const { clock, over } = this.say(alarm);
    return { text: [alarm.k, alarm.p, clock].filter(Boolean).join(" · "), key: this.keys.get(alarm.id) ?? "", over };
  }

  /** 00:42, 1:03:10, "2 d 5 h"; what begins in the future begins now. */
  duration(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    const two = (value) => String(value).padStart(2, "0");
    if (s >= 86_400) return this.list.fill("alarms.days", { days: Math.floor(s / 86_400), hours: Math.floor((s % 86_400) / 3600) });
    return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
  }

  // ---- the list ----------------------------------------------------------------------------------------------------

  get size() {
    return window.innerWidth <= 900 ? PHONE_ROWS : PAGE;
  }

  get open() {
    return this.scene.alarms.filter((alarm) => alarm.l < 2);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.open.length / this.size));
  }

  /** The alarms of this page: what the number pad's digits pick. */
  get shown() {
    return this.open.slice(this.page * this.size, (this.page + 1) * this.size);
  }

  show() {
    const { counts } = this.scene;
    this.keys = new Map(this.shown.map((alarm, i) => [alarm.id, String(i + 1)]));
    const time = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    this.list.show(this.shown, {
      counts,
      pages: this.pages,
      number: this.page,
      hidden: this.hidden,
      stale: this.lostAt ? time.format(this.lostAt) : "",
      chosen: this.chosen,
      known: this.scene !== NONE, // until then nobody says that there is none
    });
    this.showSound();
    this.list.tick(this.now);
  }

  showSound() {
    const { chime } = this;
    const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false });
    const state = chime.state;
    this.list?.showSound(state, clock.format(state === "silent" ? chime.until : chime.nextShift));
  }

  turn(step) {
    this.page = (this.page + step + this.pages) % this.pages;
    this.show();
    this.table.overlay();
  }

  /** Somebody asked for this one: select it, light it, go there. */
  choose(id) {
    const alarm = this.scene.alarms.find((one) => one.id === id);
    if (!alarm || this.hidden) return;
    this.chosen = id;
    this.beacons.chosen = id;
    this.show();
    if (alarm.pick) this.table.component.setTriggerValue("picked", alarm.pick);
    this.panel.open(alarm);
    if (alarm.x) this.flyTo(alarm);
    this.table.overlay();
  }

  /** The alarm stays selected; digits pick alarms again. */
  shutPanel() {
    this.panel.close();
    this.table.overlay();
  }

  letGo() {
    this.chosen = null;
    this.beacons.chosen = null;
    this.panel.close();
  }

  handleKey(event) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable || event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = /^(?:Numpad|Digit)([0-9])$/.exec(event.code)?.[1]; // by its place: so it works without NumLock, too
    const action = this.panel.isOpen ? this.findPanelAction(event.code, digit) : this.findListAction(event.code, digit);
    if (!action || this.hidden || !this.isAny) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.table.rest.touch();
    action();
  }

  findListAction(code, digit) {
    if (Number(digit) >= 1) return () => this.shown[digit - 1] && this.choose(this.shown[digit - 1].id);
    return { NumpadAdd: () => this.turn(1), NumpadSubtract: () => this.turn(-1) }[code];
  }

  findPanelAction(code, digit) {
    if (Number(digit) >= 1) return () => this.panel.choose(digit - 1);
    if (digit === "0" || code === "Escape") return () => this.shutPanel();
    return { NumpadEnter: () => this.panel.record(), Enter: () => this.panel.record() }[code];
  }

  /** Once a second. */
  tick() {
    this.list.tick(this.now);
    this.panel.tick();
    if (this.chime.state !== this.sounded) {
      this.sounded = this.chime.state;
      this.showSound();
    }
    this.beacons.tell();
  }

  close() {
    clearTimeout(this.again);
    clearTimeout(this.ways.timer);
    for (const name of ["pointerdown", "keydown", "touchend"]) window.removeEventListener(name, this.onTouch, { capture: true });
    window.removeEventListener("keydown", this.onKey, true);
    this.beacons.stop();
    this.chime.close();
    this.list.observer.disconnect();
  }
}

function readKnown() {
  try {
    const ids = JSON.parse(localStorage.getItem(KNOWN));
    return Array.isArray(ids) ? new Set(ids) : null;
  } catch {
    return null;
  }
}
