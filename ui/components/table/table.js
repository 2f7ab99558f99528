// The sand table: pydeck's JSON drawn by pydeck's own renderer, with what a table needs around it.
import { Alarms } from "./alarms.js";
import { Doze } from "./doze.js";
import { findRem, First, readSwitches, takeEarly, toOwnLayers } from "./first.js";
import { Hud } from "./hud.js";
import { Labels } from "./labels.js";
import { isSameScene, Live, sceneUrl } from "./live.js";
import { Overview } from "./overview.js";
import { Pace } from "./pace.js";
import { toLocal } from "./scale.js";
import { Replay } from "./replay.js";
import { Rest } from "./rest.js";
import { Ruler } from "./ruler.js";
import { Seldom } from "./seldom.js";
import { Views } from "./views.js";
import { WallSurfaces } from "./surfaces/wall.js";

const SWITCHES = "shapan.switches";
const PATIENCE_MS = 10_000;
const CLICK_PX = 8;
const SLOW = new Set(["hot", "hot_curtains"]);
const SLOW_MS = 60_000;
const WORDS = ["labels", "names", "grid_labels", "responders", "key_sites", "hot", "due_visits"];
const PLAIN = ["buildings", "parapets", "gables", "shadows", "rentals", "trees"];
const LABEL_SWITCH = { building: "labels", zone: "labels", road: "labels", water: "labels", green: "labels", gate: "walls", grid: "grids", group: "group_rentals", rental: "rentals", site: "key_sites", hot: "hot", responder: "responders", due: "due_visits" };

const tables = new WeakMap();

/** Called by Streamlit when the component appears and whenever its data change. */
export function render(component) {
  const host = component.parentElement.querySelector(".shapan-table");
  let table = tables.get(host);
  if (table) table.update(component);
  else {
    table = new Table(host, component);
    tables.set(host, table);
    window.shapan = table; // the one handle that tests and a curious administrator have
  }
  table.leaving = false;
  return () => {
    table.leaving = true;
    setTimeout(() => table.leaving && (tables.delete(host), table.destroy()), 500);
  };
}

class Table {
  constructor(host, component) {
    this.host = host;
    this.component = component;
    this.data = component.data;
    this.first = takeEarly(this.data) ?? new First(this.data);
    this.canvas = this.first.canvas;
    this.words = document.createElement("canvas");
    this.words.className = "sp-words";
    this.chrome = document.createElement("div");
    this.chrome.className = "sp-chrome";
    host.append(this.canvas, this.words, this.chrome);
    this.switches = readSwitches();
    this.store = this.first.store;
    this.scenes = this.store.content;
    this.visiting = false;
    this.whole = false; // before that only what a table cannot do without is drawn
    this.pace = new Pace(this);
    this.seldom = new Seldom(this);
    this.ruler = new Ruler(this);
    this.rest = new Rest(this);
    this.views = new Views(this);
    this.surfaces = new WallSurfaces(this);
    this.hud = new Hud(this.chrome, (key) => this.data.strings[key] ?? "", this.actions());
    this.labels = new Labels(this.words, this.data.frame);
    this.alarms = new Alarms(this);
    this.replay = new Replay(this);
    this.hud.build(this.data);
    this.showSwitches();
    this.listen();
    this.setRem();
    document.body.classList.toggle("shapan-kiosk", Boolean(this.data.kiosk));
    this.ready = this.start();
  }

  async start() {
    const all = Promise.all([this.loadScenes(), this.alarms.load()]); // everything is on its way, what the first frame needs is awaited
    await this.first.draw(() => this.insets());
    ({ camera: this.camera, instance: this.instance } = this.first);
    this.first.handle = (name, info) => this.handle(name, info);
    this.doze = new Doze(this.instance);
    this.instance.setProps({
      onAfterRender: () => {
        this.doze.wake();
        this.overlay();
      },
      pickingRadius: 3,
      getCursor: ({ isDragging, isHovering }) => (isDragging ? "grabbing" : isHovering ? "pointer" : "grab"),
    });
    this.listenForClicks();
    this.camera.onGo = () => this.doze.wake();
    this.overview = new Overview(this.hud.parts.overview, this.data.frame, (place) => this.flyTo({ x: place }));
    await this.settled();
    this.views.frameWhole();
    await this.drawn();
    await all;
    this.showLoaded();
    this.overview.setOutlines(this.outlines());
    this.whole = true;
    this.refresh();
    await this.settled();
    this.listenLive();
    this.ticker = setInterval(() => this.tick(), 1000);
    this.tick();
    if (this.data.fly) this.applyFly(this.data.fly);
    this.host.dataset.ready = "yes";
    this.surfaces.start();
  }

  /** Waits until the renderer has read every file. */
  async settled() {
    const since = performance.now(); // one file that cannot be read must not keep the rest from view
    while ((!this.instance.isInitialized || !this.layersLoaded()) && performance.now() - since < PATIENCE_MS) await new Promise((r) => setTimeout(r, 16));
  }

  /** Waits until the frame of what is loaded is really on the screen, not only ordered. */
  async drawn() {
    this.instance.redraw("first");
    await this.drawnOut();
  }

  /** Waits until the graphics card has drawn all that it was told so far. */
  async drawnOut() {
    const { gl } = this.instance.device;
    const order = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const since = performance.now();
    const isDone = () => gl.getSyncParameter(order, gl.SYNC_STATUS) === gl.SIGNALED;
    while (!isDone() && performance.now() - since < PATIENCE_MS) await new Promise((r) => setTimeout(r, 16));
    gl.deleteSync(order);
  }

  layersLoaded() {
    return this.instance.layerManager?.getLayers().every((layer) => layer.isLoaded);
  }

  /** Addresses of the scene files by name: those that are drawn, and those that we read. */
  addresses() {
    const drawn = this.data.deck.layers.map((layer) => [this.data.layerScene[layer.id], layer.data]);
    return { ...Object.fromEntries(drawn), ...this.data.files };
  }

  /** Have these scene files, the first frame's before the others. */
  loadScenes(names = Object.keys(this.addresses())) {
    const { first } = this.data;
    const ordered = [...names].sort((a, b) => first.includes(b) - first.includes(a));
    return Promise.all(this.seldom.pickWanted(ordered).map((name) => this.store.load(name, this.fileUrl(name))));
  }

  fileUrl(name) {
    return sceneUrl(this.addresses()[name], this.data.sceneTables[name], this.revisionsFor(name));
  }

  /** Events in the page's language: what changed comes with them. */
  listenLive() {
    this.live?.close();
    this.live = new Live({
      url: `${this.data.events}?lang=${this.data.lang}&since=${this.data.revision}`,
      revisions: this.live?.revisions,
      onVersions: (revisions, changed) => this.onVersions(revisions, changed),
      onScenes: (changes) => this.onScenes(changes),
      onState: (on) => this.onState(on),
    });
  }

  /** After scene files were loaded or changed. */
  showLoaded() {
    this.setWords();
    this.showFigures();
  }

  setWords() {
    const sites = (this.scenes.key_sites || []).map((site) => ({ t: site.g, n: site.n, g: site.g, c: "site", x: site.x, id: site.id }));
    const hot = (this.scenes.hot?.places || []).map((place) => ({ t: String(place.rank), c: "hot", x: place.x, id: place.id }));
    const { labels = [], names = [], grid_labels: grids = [], responders = [] } = this.scenes;
    const own = new Set((this.scenes.key_sites || []).map((site) => `${site.b} ${site.n}`));
    const once = names.filter((label) => !own.has(`${label.id} ${label.t}`)); // its pin says it
    const due = (this.scenes.due_visits || []).filter((one) => one.t).map((one) => ({ t: one.t, c: "due", x: one.x, id: one.id }));
    this.labels.hiding.setBuildings(this.scenes.buildings || []);
    this.labels.setRecords([...labels, ...once, ...grids, ...responders, ...sites, ...hot, ...due]);
  }

  outlines() {
    return {
      border: (this.scenes.border || []).map((record) => record.l),
      grids: (this.scenes.grids || []).map((record) => record.l),
    };
  }

  isOn(id) {
    if (this.visiting && ["rentals", "group_rentals", "hot", "zones", "freshness", "due_visits", "incidents"].includes(id)) return false;
    const one = this.data.switches.find((item) => item.id === id);
    return one ? this.switches[id] ?? one.on : true;
  }

  /** The deck's JSON with today's switches, our own records and what is lit. */
  spec() {
    const layers = toOwnLayers(this.data, this.store, this.whole ? null : this.data.first, (id) => this.isOn(id), this.opened?.id);
    const model = this.modelLayers();
    if (model.length) for (const layer of layers) if (PLAIN.includes(layer.id)) layer.visible = false;
    const inside = this.opened?.layers(this.data.deck.layers[0]) ?? [];
    return { ...this.data.deck, layers: [...layers, ...model, ...inside, ...this.litLayers()] };
  }

  /** The photographic model instead of the plain buildings, when it is switched on; it lies in WGS 84, not in the table's frame. */
  modelLayers() {
    if (!this.data.model || !this.whole || !(this.switches.model ?? false)) return [];
    return [{ "@@type": "Tile3DLayer", id: "model", data: this.data.model, pickable: false, loadOptions: { worker: false } }];
  }

  /** A ring on the ground and a beam over what is selected. */
  litLayers() {
    const lit = this.selected?.outline;
    if (!lit || this.opened?.id) return []; // in an open building the unit itself is lit
    const base = this.data.deck.layers[0];
    const common = { coordinateSystem: base.coordinateSystem, coordinateOrigin: base.coordinateOrigin };
    const top = lit.top || 0.4;
    const low = lit.floor ?? 0.4; // a home is lit on its own storey
    const rings = lit.rings.flatMap((ring) => [{ l: ring.map(([x, y]) => [x, y, low]) }, { l: ring.map(([x, y]) => [x, y, top + 0.2]) }]);
    return [
      { "@@type": "PathLayer", id: "lit", ...common, data: rings, getPath: "@@=l", getColor: [255, 255, 255, 235], getWidth: 3 * Math.max(1, this.rem / 16), widthUnits: "pixels", jointRounded: true, parameters: { depthCompare: "always" } },
      { "@@type": "CurtainLayer", id: "lit-curtain", ...common, data: lit.rings.map((ring) => ({ p: [ring.map(([x, y]) => [x, y, low])], h: lit.floor === undefined ? top + 10 : top - low })), getPolygon: "@@=p", getElevation: "@@=h", getFloor: "@@=h", extruded: true, getFillColor: [190, 225, 255, 120], parameters: { depthWriteEnabled: false } },
    ];
  }

  refresh() {
    this.doze?.wake();
    const { initialViewState, views, ...rest } = this.spec();
    window.updateDeck(rest, this.instance);
    this.showSwitches();
    this.instance.redraw("switches");
    this.pace.gauge();
    this.seldom.fetchMissing();
  }

  showSwitches() {
    this.labels.hides = this.isOn("buildings");
    this.labels.hidden = new Set(Object.entries(LABEL_SWITCH).filter(([, id]) => !this.isOn(id)).map(([name]) => name));
    for (const one of this.data.switches) this.hud.parts[`switch.${one.id}`]?.setAttribute("aria-checked", this.isOn(one.id) ? "true" : "false");
  }

  async update(component) {
    const before = this.data;
    const known = this.addresses();
    this.component = component;
    this.data = component.data;
    await this.ready;
    if (before.lang !== this.data.lang || JSON.stringify(before.switches) !== JSON.stringify(this.data.switches)) {
      this.hud.build(this.data);
      this.overview.canvas = this.hud.parts.overview;
      this.overview = new Overview(this.hud.parts.overview, this.data.frame, (place) => this.flyTo({ x: place }));
      this.overview.setOutlines(this.outlines());
      this.hud.showOnline(this.live.source.readyState === 1);
    }
    const now = this.addresses();
    const others = Object.keys(now).filter((name) => !isSameScene(now[name], known[name])); // the version alone: told already
    if (others.length) {
      await this.loadScenes(others);
      this.showLoaded();
    }
    if (before.lang !== this.data.lang) {
      this.listenLive();
      this.alarms.load();
      this.opened?.onLanguage();
    }
    if (before.fly?.n !== this.data.fly?.n && this.data.fly) this.applyFly(this.data.fly);
    this.refresh();
    this.tick();
  }

  /** Revisions that a scene is asked at: hot places are weighed anew at most once a minute, all else at once. */
  revisionsFor(scene) {
    return (SLOW.has(scene) ? this.slowRevisions : this.live?.revisions) ?? {};
  }

  onState(on) {
    this.hud.showOnline(on);
    this.alarms.setOnline(on);
  }

  async onVersions(revisions, changed) {
    this.alarms.onVersions(changed);
    this.opened?.onChanged(changed);
    const first = !this.slowRevisions;
    if (first) this.slowRevisions = { ...revisions };
    else if (!this.slowTimer) {
      this.slowTimer = setTimeout(() => {
        this.slowTimer = null;
        this.slowRevisions = { ...this.live.revisions };
        this.reload([...SLOW]);
      }, SLOW_MS);
    }
    if (!first) await this.reload(this.data.asked.filter((name) => !SLOW.has(name)), changed);
  }

  /** What changed in the scene files, all but those that answer a question of this page. */
  async onScenes(changes) {
    const seen = this.alarms.onScenes(changes); // before all else: an alarm waits for nothing
    this.seldom.holdBack(changes);
    if (!Object.keys(changes).length) return;
    await this.store.apply(changes, (name) => this.fileUrl(name));
    await seen;
    if (changes.border || changes.grids) this.overview.setOutlines(this.outlines());
    this.showChanged(Object.keys(changes));
  }

  /** After these scene files changed: only what shows them is made anew. */
  showChanged(names) {
    if (names.some((name) => WORDS.includes(name) || name === "buildings")) {
      this.setWords();
      this.overlay();
    }
    this.showFigures();
    const drawn = Object.values(this.data.layerScene);
    if (names.some((name) => drawn.includes(name))) this.pace.refreshSoon();
  }

  /** Fetch again those of `names` that read a changed table, then draw. */
  async reload(names, changed = null) {
    const shown = this.addresses();
    const touched = names.filter((name) => shown[name] && (!changed || this.data.sceneTables[name].some((table) => changed.includes(table))));
    if (!touched.length) return;
    await this.loadScenes(touched);
    this.showChanged(touched);
  }

  showFigures() {
    if (!this.scenes.figures) return;
    const lang = this.data.lang === "zh" ? "zh-CN" : "en-GB";
    const when = new Intl.DateTimeFormat(lang, { timeZone: "Asia/Shanghai", dateStyle: "medium", timeStyle: "short" });
    this.hud.showFigures(this.scenes.figures, {
      number: (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString(lang)),
      time: (value) => (value ? when.format(new Date(value)) : "–"),
    });
    for (const [id, count] of Object.entries({ responders: this.scenes.responders?.length, hot: this.scenes.hot?.places?.length })) {
      const node = this.hud.parts[`count.${id}`];
      if (node && count !== null && count !== undefined) node.textContent = String(count);
    }
  }

  // ---- what the camera shows -------------------------------------------------------------------------------------

  insets() {
    const rail = document.querySelector(".st-key-rail");
    const wide = window.innerWidth > 900 && !this.chrome.classList.contains("sp-bare");
    const left = wide ? this.hud.parts.left.getBoundingClientRect().right : 0;
    const right = wide && rail ? window.innerWidth - rail.getBoundingClientRect().left : 0;
    const opened = this.opened?.panel.offsetHeight ? this.opened.panel.offsetHeight + 3.6 * this.rem : 0; // over the tools
    const panel = this.alarms?.panel.root.offsetHeight || opened; // of one alarm it lies where the tools were
    const sheet = !wide && rail ? window.innerHeight - rail.getBoundingClientRect().top : Math.max(4.2 * this.rem, panel + 1.4 * this.rem);
    const list = wide ? 0 : (this.alarms?.side.getBoundingClientRect().bottom ?? 0) + 1.1 * this.rem; // on a phone it lies over the table
    return { left: left + 12, right: right + 12, top: Math.max((wide ? 4.2 : 8) * this.rem, list), bottom: sheet + 0.4 * this.rem };
  }

  wholeCamera(pitch, bearing) {
    return this.first.findWhole(this.insets(), { pitch, bearing });
  }

  flyTo({ x, radius = 60, zoom = null }) {
    const [cx, cy] = x;
    const points = [[cx - radius, cy - radius], [cx + radius, cy + radius], [cx - radius, cy + radius], [cx + radius, cy - radius]];
    const { pitch, bearing } = this.camera.now;
    this.camera.go(this.camera.fit(points, { pitch, bearing, insets: this.insets(), maxZoom: 19.5, zoom }));
  }

  applyFly(fly) {
    this.select(fly.select, fly.outline);
    if (fly.x) this.flyTo({ x: fly.x, radius: fly.radius });
  }

  select(picked, outline = null) {
    this.selected = picked ? { ...picked, outline } : null;
    this.labels.selected = this.selected;
    const isPlace = ["building", "unit", "site"].includes(picked?.kind);
    this.hud.parts.inside.hidden = this.hud.parts.wayIn.hidden = !isPlace;
    this.showWayIn(false);
    if (this.opened?.id) this.opened.follow(picked);
    this.surfaces.selected(picked);
  }

  /** Local metres in the middle of what the rails leave free. */
  middle() {
    const insets = this.insets();
    const { width, height } = this.camera.size;
    const view = this.instance.getViewports()[0];
    return toLocal(this.data.frame, view.unproject([(insets.left + width - insets.right) / 2, (insets.top + height - insets.bottom) / 2]));
  }

  /** All sheets anew, after the camera moved or words changed. */
  overlay() {
    const viewport = this.instance.getViewports()[0];
    if (!viewport || !this.camera) return;
    const [insets, frames] = [this.insets(), this.views.findFrames()];
    this.alarms.place(viewport, this.rem, insets, frames);
    this.writeWords(viewport, insets, frames);
    this.replay.place(viewport, this.rem, insets);
    this.ruler.judge(viewport);
  }

  /** The words of the table where the alarms leave them room, and the small map. */
  writeWords(viewport, insets, frames = this.views.findFrames()) {
    const taken = [...frames, ...this.alarms.beacons.taken, ...(this.opened?.place(viewport, this.rem) ?? [])];
    this.labels.draw(viewport, this.rem, taken);
    this.opened?.draw(this.labels.context);
    this.overview.draw(viewport, insets, this.alarms.marks);
  }

  /** Words step aside; where the list grew over the table, as on a phone, all of it moves. */
  makeRoom() {
    const viewport = this.instance?.getViewports()[0];
    if (!viewport || !this.camera || !this.overview) return;
    const [before, insets] = [this.alarms.beacons.insets, this.insets()];
    if (before && Object.keys(insets).every((side) => insets[side] === before[side])) this.writeWords(viewport, insets);
    else this.overlay();
  }

  // ---- what people do ----------------------------------------------------------------------------------------------

  actions() {
    return {
      calibrate: () => this.ruler.calibrate(),
      legend: () => this.hud.parts.legend.setAttribute("aria-pressed", String(document.body.classList.toggle("shapan-legend"))),
      visitor: () => this.rest.setVisiting(!this.visiting),
      language: (lang) => this.component.setTriggerValue("language", lang),
      toggle: (id) => this.toggle(id),
      whole: () => this.views.whole(),
      north: () => this.views.north(),
      oblique: () => this.views.oblique(),
      scale: (n) => this.ruler.scaleTo(n),
      stepGrid: (step) => this.ruler.stepGrid(step),
      orthographic: () => this.views.orthographic(),
      tour: () => this.rest.setTour(!this.rest.tour),
      pair: () => this.surfaces.open(),
      replay: () => this.replay.toggle(),
      inside: () => this.openInside(),
      wayIn: () => this.showWayIn(this.hud.parts.wayIn.getAttribute("aria-pressed") !== "true"),
    };
  }

  /** The way from the nearest open gate to what is selected, or none; where none is known the button says so. */
  async showWayIn(on) {
    const button = this.hud.parts.wayIn;
    button.setAttribute("aria-pressed", String(on));
    button.textContent = this.hud.t("table.way_in");
    const say = (way) => this.hud.t(`table.way_in_${way.gate ? "from" : "nameless"}${way.verified ? "" : "_unsure"}`)
      .replace("{gate}", way.gate ?? "").replace("{m}", way.m).replace("{minutes}", Math.max(1, Math.round(way.s / 60)));
    const found = await this.alarms.ways.showTo(on ? this.selected : null, say);
    if (!found) button.textContent = this.hud.t("table.way_in_none");
  }

  /** What is selected, opened by floors; its script comes with the first building that somebody opens. */
  async openInside() {
    const { selected } = this;
    const site = selected?.kind === "site" && (this.scenes.key_sites || []).find((one) => one.id === selected.id);
    const asked = site ? { building: site.b } : selected && { [selected.kind]: selected.id };
    if (!asked || asked.building === null || asked.grid) return;
    if (!this.opened) {
      const { Opened } = await import("./inside/opened.js");
      this.opened ??= new Opened(this);
    }
    if (await this.opened.open(asked)) {
      this.opened.follow(selected);
      this.flyToOpened();
    }
  }

  closeInside() {
    this.opened?.close();
  }

  /** Before its front, a little from the side: left is left on the second screen, too. */
  flyToOpened() {
    this.camera.go(this.camera.fit(this.opened.extent(), { pitch: 50, bearing: this.opened.bearing + 24, insets: this.insets(), maxZoom: 21.5 }));
  }

  toggle(id) {
    this.switches[id] = !this.isOn(id);
    localStorage.setItem(SWITCHES, JSON.stringify(this.switches));
    this.refresh();
    this.surfaces.switched();
  }

  setOrthographic(on) {
    if (on !== this.camera.orthographic) this.camera.setOrthographic(on);
    this.hud.parts.ortho.setAttribute("aria-pressed", on ? "true" : "false");
  }

  pick(info) {
    const alarm = this.alarms.hit(info.x, info.y);
    if (alarm) return alarm;
    const marked = this.labels.hit(info.x, info.y);
    if (marked) return marked;
    const { layer, object } = info;
    if (!layer || !object) return null;
    if (layer.id === "opened-rooms") return object.id ? { kind: "unit", id: object.id } : null;
    if (layer.id === "grids-face") return { kind: "grid", id: object.id };
    if (layer.id === "key-sites") return { kind: "site", id: object.id };
    if (layer.id === "rentals" || layer.id === "group-rentals") return { kind: "building", id: object.b };
    if (["buildings", "parapets", "gables"].includes(layer.id)) return { kind: "building", id: object.id };
    return null;
  }

  handle(name, info) {
    if (name === "deck-hover-event") this.onHover(info);
  }

  /** Our own click: the renderer's wants press and release within 250 ms, which a slow machine and a gloved finger miss. */
  listenForClicks() {
    let down = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      down = event.isPrimary && event.button === 0 ? { x: event.offsetX, y: event.offsetY } : null;
    }, true);
    this.canvas.addEventListener("pointerup", (event) => {
      if (down && Math.hypot(event.offsetX - down.x, event.offsetY - down.y) < CLICK_PX) this.onClick(event.offsetX, event.offsetY);
      down = null;
    }, true);
  }

  onClick(x, y) {
    const info = this.instance.pickObject({ x, y, radius: 3 }) || { x, y };
    const picked = this.pick({ ...info, x, y });
    if (picked?.kind === "incident") this.alarms.choose(picked.id);
    else if (picked && !(this.visiting && picked.kind === "hot")) this.component.setTriggerValue("picked", picked);
  }

  /** A building's record by its id: roofs, homes and marks that are pointed at carry only that. */
  findBuilding(id) {
    const { data } = this.instance.layerManager.getLayers().find((layer) => layer.id === "buildings").props;
    return Array.isArray(data) ? data.find((record) => record.id === id) : null;
  }

  onHover(info) {
    const picked = info.x >= 0 ? this.pick(info) : null;
    const building = picked?.kind === "building" && this.findBuilding(picked.id);
    const site = picked?.kind === "site" && (this.scenes.key_sites || []).find((one) => one.id === picked.id);
    const gate = info.layer?.id === "gates" && info.object;
    const lines = site ? [site.n, site.k] : gate ? [gate.n, gate.closed] : building ? [building.n, building.a] : null;
    this.hud.showHover(info, lines);
  }

  listen() {
    this.onTouch = () => {
      this.doze?.wake();
      this.rest.touch();
    };
    this.onKey = (event) => {
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable || event.ctrlKey || event.metaKey || event.altKey) return;
      const keys = { v: () => this.actions().visitor(), h: () => this.actions().whole(), n: () => this.actions().north(), o: () => this.actions().oblique(), "]": () => this.ruler.stepGrid(1), "[": () => this.ruler.stepGrid(-1) };
      keys[event.key.toLowerCase()]?.();
    };
    this.onSize = () => {
      this.doze?.wake();
      this.setRem();
      this.instance?.redraw("size");
    };
    for (const name of ["pointerdown", "pointermove", "wheel", "touchstart"]) window.addEventListener(name, this.onTouch, { passive: true });
    window.addEventListener("keydown", this.onTouch);
    window.addEventListener("keydown", this.onKey);
    window.addEventListener("resize", this.onSize);
  }

  /** Type grows with the wall; Streamlit's own sizes are in rem and follow. */
  setRem() {
    this.rem = findRem();
    document.documentElement.style.fontSize = `${this.rem}px`;
  }

  /** Once a second. */
  tick() {
    const lang = this.data.lang === "zh" ? "zh-CN" : "en-GB";
    const clock = { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
    this.hud.parts.clock.textContent = new Intl.DateTimeFormat(lang, clock).format(new Date());
    this.rest.tick();
    this.alarms.tick();
    this.replay.tick();
  }

  destroy() {
    this.live?.close();
    this.alarms.close();
    this.surfaces.close();
    this.replay.close();
    clearInterval(this.ticker);
    clearTimeout(this.slowTimer);
    this.pace.close();
    for (const name of ["pointerdown", "pointermove", "wheel", "touchstart"]) window.removeEventListener(name, this.onTouch);
    window.removeEventListener("keydown", this.onTouch);
    window.removeEventListener("keydown", this.onKey);
    window.removeEventListener("resize", this.onSize);
    this.instance?.finalize();
    this.host.replaceChildren();
  }
}
