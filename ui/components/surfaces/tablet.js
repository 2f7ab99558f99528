// The tablet: large buttons that drive the wall and the second screen. It shows names and numbers, never a person.
import { Channel, buildHead, buildWelcome, el, fetchScene, root, t } from "./page.js";

const TABS = ["place", "grid", "alarm", "floor", "layer", "view"];
const VIEWS = ["whole", "north", "oblique", "tour", "closer", "farther", "scale-300", "scale-500", "scale-1000", "scale-2000"];
const MOST_HITS = 40;

class Tablet {
  constructor() {
    Object.assign(this, { tab: "place", selected: null, switches: {}, directory: null, alarms: null, record: null, level: null, search: "" });
    this.channel = new Channel("tablet", { onState: (state) => this.showState(state), onSay: (topic, value) => this.hear(topic, value) });
    this.body = el("section", { class: "sf-body" });
    this.tabs = el("nav", { class: "sf-tabs" });
    this.acts = el("nav", { class: "sf-acts" });
    this.now = el("p", { class: "sf-now" });
    this.channel.start();
    window.shapanTablet = this; // the handle for tests
  }

  async showState(state) {
    const was = this.state;
    this.state = state;
    if (!state.paired) {
      if (was?.paired !== false || was?.why !== state.why) root.replaceChildren(buildWelcome("tablet", this.channel, state.why));
      return;
    }
    root.replaceChildren(buildHead(this.channel, state), this.now, this.acts, this.body, this.tabs);
    if (!this.directory) await this.load();
    this.draw();
  }

  /** What can be chosen; asked for again whenever one of its tables changes. */
  async load() {
    this.directory = { buildings: [], grids: [], sites: [] };
    this.names = new Map();
    const read = async (changed) => {
      const touches = (...tables) => !changed || tables.some((table) => changed.includes(table));
      if (touches("buildings", "grids", "key_sites")) {
        this.directory = await fetchScene("directory").catch(() => this.directory);
        for (const [kind, list] of [["building", "buildings"], ["grid", "grids"], ["site", "sites"]]) for (const one of this.directory[list]) this.names.set(`${kind} ${one.id}`, one.n);
      }
      if (touches("incidents", "settings")) this.alarms = (await fetchScene("alarms").catch(() => null))?.alarms ?? null;
      this.draw();
    };
    await read(null);
    const source = new EventSource("/events");
    source.addEventListener("revisions", (event) => read(Object.keys(JSON.parse(event.data))));
  }

  async hear(topic, value) {
    if (topic === "switches") this.switches = value;
    if (topic === "floor") this.level = value?.level ?? null;
    if (topic === "select") await this.follow(value);
    this.draw();
  }

  async follow(picked) {
    this.selected = picked;
    const asked = picked && this.ask(picked);
    const isSame = this.record && asked && (asked.building === this.record.id || this.record.units.some((unit) => unit.id === asked.unit));
    if (isSame) return;
    this.record = asked ? await fetchScene("inside", asked).catch(() => null) : null;
    this.level = null;
    if (this.record?.id) this.names.set(`building ${this.record.id}`, this.record.name);
  }

  ask({ kind, id }) {
    if (kind === "building" || kind === "unit") return { [kind]: id };
    const building = kind === "site" && this.directory?.sites.find((site) => site.id === id)?.b;
    return building ? { building } : null;
  }

  async choose(picked) {
    this.channel.say("select", picked);
    await this.follow(picked);
    this.draw();
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  draw() {
    if (!this.state?.paired) return;
    this.now.textContent = this.selected ? t("surfaces.now", { name: this.name(this.selected) }) : t("surfaces.now_nothing");
    const act = (order, key = order) => el("button", { type: "button", class: "sf-button", "data-order": order, onclick: () => this.channel.say("camera", order) }, t(`surfaces.view_${key}`));
    this.acts.replaceChildren(act("back"), act("fly"), act("whole"),
      el("button", { type: "button", class: "sf-button", "data-act": "clear", onclick: () => this.choose(null) }, t("surfaces.clear")));
    this.tabs.replaceChildren(...TABS.map((tab) => el("button", {
      type: "button", "data-tab": tab, "aria-pressed": tab === this.tab ? "true" : "false",
      onclick: () => { this.tab = tab; this.draw(); },
    }, t(`surfaces.tab_${tab}`), tab === "alarm" && this.alarms?.length ? el("b", {}, String(this.alarms.length)) : null)));
    const parts = { place: () => this.drawPlaces(), grid: () => this.drawGrids(), alarm: () => this.drawAlarms(), floor: () => this.drawFloors(), layer: () => this.drawLayers(), view: () => this.drawViews() }[this.tab]();
    this.body.dataset.tab = this.tab;
    const held = document.activeElement?.matches?.(".sf-search");
    this.body.replaceChildren(...parts);
    if (held) {
      const box = this.body.querySelector(".sf-search");
      box?.focus();
      box?.setSelectionRange(box.value.length, box.value.length);
    }
  }

  name({ kind, id }) {
    if (kind === "unit") {
      const unit = this.record?.units.find((one) => one.id === id);
      return unit ? `${this.record.name} ${unit.n}` : t("surfaces.a_unit");
    }
    return this.names?.get(`${kind} ${id}`) || t("surfaces.a_place");
  }

  big(label, on, act, more = {}) {
    return el("button", { type: "button", class: "sf-button sf-big", "aria-pressed": on ? "true" : "false", onclick: act, ...more }, ...[].concat(label));
  }

  isOn(kind, id) {
    return this.selected?.kind === kind && this.selected?.id === id;
  }

  drawPlaces() {
    const words = this.search.trim().toLowerCase();
    const { buildings, sites } = this.directory;
    const hit = (one) => one.n.toLowerCase().includes(words);
    // Who types "12" means building 12 before building 112.
    const rank = (one) => (one.n.replace(/\D/g, "") === words.replace(/\D/g, "") ? 0 : 1);
    const found = words ? [...buildings.filter(hit).map((one) => ["building", one, ""]), ...sites.filter(hit).map((one) => ["site", one, one.k])].sort((a, b) => rank(a[1]) - rank(b[1])).slice(0, MOST_HITS) : [];
    const box = el("input", { class: "sf-search", type: "search", value: this.search, placeholder: t("surfaces.search"), "aria-label": t("surfaces.search"), oninput: (event) => { this.search = event.target.value; this.draw(); } });
    if (words) return [box, found.length ? el("div", { class: "sf-list" }, ...found.map(([kind, one, note]) => this.big([one.n || t("surfaces.a_place"), note ? el("small", {}, note) : null].filter(Boolean), this.isOn(kind, one.id), () => this.choose({ kind, id: one.id }), { "data-pick": `${kind}:${one.id}` }))) : el("p", { class: "sf-note" }, t("surfaces.nothing_found"))];
    return [box, this.drawMap()];
  }

  /** The community from above; a finger chooses the building that it touches. */
  drawMap() {
    const { buildings, grids } = this.directory;
    const points = [...grids, ...buildings].flatMap((one) => one.p.flat());
    if (!points.length) return el("p", { class: "sf-note" }, t("surfaces.nothing_found"));
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const path = (rings) => rings.map((ring) => `M${ring.map(([x, y]) => `${(x - west).toFixed(1)} ${(north - y).toFixed(1)}`).join("L")}Z`).join("");
    return el("svg", { class: "sf-map", viewBox: `-8 -8 ${east - west + 16} ${north - south + 16}`, role: "img", "aria-label": t("surfaces.map") },
      ...grids.map((one) => el("path", { class: "sf-grid", d: path(one.p), "data-on": this.isOn("grid", one.id) ? "yes" : "no" })),
      ...buildings.map((one) => el("path", { class: "sf-building", d: path(one.p), "data-pick": `building:${one.id}`, "data-on": this.isOn("building", one.id) || one.id === this.record?.id ? "yes" : "no", onclick: () => this.choose({ kind: "building", id: one.id }) }, el("title", {}, one.n))));
  }

  drawGrids() {
    return [el("div", { class: "sf-list" }, ...this.directory.grids.map((one) => this.big([one.n], this.isOn("grid", one.id), () => this.choose({ kind: "grid", id: one.id }), { "data-pick": `grid:${one.id}` })))];
  }

  drawAlarms() {
    if (!this.alarms?.length) return [el("p", { class: "sf-note" }, t("surfaces.no_alarms"))];
    const time = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false });
    return [el("div", { class: "sf-list" }, ...this.alarms.map((one) => this.big([`${time.format(one.at)} ${one.k}`, el("small", {}, one.p)], one.pick && this.isOn(one.pick.kind, one.pick.id), () => one.pick && this.choose(one.pick), { "data-alarm": one.id, disabled: !one.pick })))];
  }

  drawFloors() {
    if (!this.record?.levels?.length) return [el("p", { class: "sf-note" }, t("surfaces.choose_building"))];
    const say = (level) => {
      this.level = level;
      this.channel.say("floor", { building: this.record.id, level });
      this.draw();
    };
    const level = this.level ?? 1;
    const floors = el("div", { class: "sf-list sf-levels" }, ...this.record.levels.map(({ l }) => this.big(l < 0 ? t("inside.basement", { n: -l }) : t("inside.level", { n: l }), l === this.level, () => say(l), { "data-level": l })));
    const units = this.record.units.filter((unit) => unit.l === level);
    return [el("h2", {}, this.record.name), floors, el("div", { class: "sf-list sf-units" }, ...units.map((unit) => this.big([unit.n, el("small", {}, unit.t || this.record.entrances.find((door) => door.id === unit.e)?.n || "")], this.isOn("unit", unit.id), () => this.choose({ kind: "unit", id: unit.id }), { "data-pick": `unit:${unit.id}` })))];
  }

  drawLayers() {
    const names = Object.keys(this.switches).filter((name) => name !== "visiting"); // that is the wall's own
    if (!names.length) return [el("p", { class: "sf-note" }, t("surfaces.wall_away"))];
    return [el("div", { class: "sf-list" }, ...names.map((name) => this.big(t(`wall.layer_${name}`), this.switches[name], () => this.channel.say("layers", { [name]: !this.switches[name] }), { "data-layer": name })))];
  }

  drawViews() {
    return [el("div", { class: "sf-list" }, ...VIEWS.map((order) => this.big(order.startsWith("scale") ? `1:${order.slice(6)}` : t(`surfaces.view_${order}`), false, () => this.channel.say("camera", order), { "data-order": order })))];
  }
}

new Tablet();
