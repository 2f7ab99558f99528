// A building opened by floors on the wall: storeys apart or one alone, units coloured by what is asked. It is fetched by
// the first who opens a building; until then a wall carries nothing of it. Nobody who lives there is in it.
import { el } from "../hud.js";
import { toLngLat } from "../scale.js";
import { COLOURS, FOR_VISITORS, paint } from "./colours.js";

const SLAB_M = 0.22;
const SINK_M = 0.35; // of each storey's height: the slab above and a joint
const CUT_M = 1.25; // walls of a storey that is looked into from above
const APART_M = 4.5; // between storeys that are drawn apart
const JOINT = 0.955; // share of a unit's own size: the joints between units show where one ends
const SHAFT_M = 1.5;
// Seen from above a room has the legend's colour; walls are a little darker.
const MATT = { ambient: 0.62, diffuse: 0.22, shininess: 4, specularColor: [10, 12, 16] };
const TABLES = ["units", "rentals", "buildings", "floors", "entrances", "incidents", "plan_rooms", "register_checks"];
const AGAIN_MS = 600;
const INK = { slab: [58, 76, 102, 255], empty: [44, 58, 78], shaft: [124, 196, 238, 120], door: [124, 196, 238, 255] };
const DARK = "#0b1420"; // the ink of colours.js on light rooms
const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';

/** `[r, g, b]` of "#rrggbb". */
const rgb = (css) => [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16));

export class Opened {
  constructor(table) {
    Object.assign(this, { table, record: null, level: null, alone: false, apart: false, colour: "use", boxes: [] });
    this.panel = el("section", { class: "io-panel", hidden: true });
    table.chrome.append(el("link", { rel: "stylesheet", href: "/assets/inside/opened.css" }), this.panel);
  }

  t(key, values = {}) {
    return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), this.words?.[key] ?? "");
  }

  get id() {
    return this.record?.id ?? null;
  }

  async open(asked) {
    const { lang } = this.table.data;
    const answer = await fetch(`/scene/inside.json?${new URLSearchParams({ lang, words: 1, ...asked })}`, { credentials: "same-origin" });
    const record = answer.ok ? await answer.json() : null;
    if (!record?.id) return false;
    Object.assign(this, { words: record.words, lang, asked: { building: record.id } });
    const isOther = record.id !== this.id;
    this.record = record;
    if (isOther) Object.assign(this, { level: null, alone: false, apart: false, unit: null });
    if (!this.colours.includes(this.colour)) this.colour = "use";
    this.show();
    return true;
  }

  close() {
    clearTimeout(this.again);
    this.record = null;
    this.table.labels.without = null;
    this.boxes = [];
    this.panel.hidden = true;
    this.panel.replaceChildren();
    this.table.refresh();
  }

  /** The register or what was reported changed: what is shown is asked for once more. */
  onChanged(changed) {
    if (!this.record || !changed.some((table) => TABLES.includes(table))) return;
    clearTimeout(this.again);
    this.again = setTimeout(() => this.record && this.open(this.asked), AGAIN_MS);
  }

  /** Another language: the words first, then all of it. */
  onLanguage() {
    if (this.record && this.lang !== this.table.data.lang) this.open(this.asked);
  }

  get colours() {
    return this.table.visiting ? FOR_VISITORS : COLOURS;
  }

  /** Storeys from below: {l, z (metres above ground as drawn), h}; what lies below ground is lifted where it is looked at. */
  storeys() {
    const from = [...this.record.levels].sort((a, b) => a.l - b.l);
    const lift = this.apart || this.level < 0 ? -Math.min(0, from[0].z) : 0;
    return from.map((one, i) => ({ ...one, z: one.z + lift + (this.apart ? i * APART_M : 0) }));
  }

  isShown(level) {
    if (this.level === null) return level > 0 || this.apart;
    return this.alone ? level === this.level : level <= this.level && (level > 0 || this.level < 0 || this.apart);
  }

  /** Whether one looks into a storey from above: the highest that is shown, and all where they are apart. */
  isCut(level) {
    return this.apart || level === this.top();
  }

  top() {
    const shown = this.record.levels.map((one) => one.l).filter((l) => this.isShown(l));
    return this.level ?? Math.max(...shown);
  }

  /** Units that stand on the table now. */
  drawnUnits() {
    return this.record.units.filter((unit) => unit.p.length && this.isShown(unit.l)).map((unit) => unit.id);
  }

  /** A point of the building's frame, shape [a, d], on the table at a height. */
  at([a, d], z = 0) {
    const { o, a: along, d: inwards } = this.record.at;
    return [o[0] + a * along[0] + d * inwards[0], o[1] + a * along[1] + d * inwards[1], z];
  }

  /** The renderer's layers, after `base`, whose frame they share. */
  layers(base) {
    if (!this.record) return [];
    const common = { coordinateSystem: base.coordinateSystem, coordinateOrigin: base.coordinateOrigin };
    const solid = (id, data, more = {}) => ({ "@@type": "SolidLayer", id, ...common, data, getPolygon: "@@=p", getElevation: "@@=h", getFillColor: "@@=c", extruded: true, material: MATT, ...more });
    const slabs = [];
    const rooms = [];
    const edges = [];
    const shown = this.storeys().filter((one) => this.isShown(one.l));
    for (const { l, z, h } of shown) {
      slabs.push(...this.record.outline.map((ring) => ({ p: [ring.map((point) => this.at(point, z))], h: SLAB_M, c: INK.slab })));
      const high = this.isCut(l) ? Math.min(CUT_M, h - SINK_M) : h - SINK_M;
      for (const unit of this.record.units) {
        if (unit.l !== l) continue;
        const look = paint(unit, this.colour);
        const isOn = unit.id === this.unit;
        for (const ring of unit.p) {
          const drawn = shrink(ring, unit.x).map((point) => this.at(point, z + SLAB_M));
          rooms.push({ p: [drawn], h: high, c: rgb(look.fill), id: unit.id });
          edges.push({ l: drawn.map(([x, y, low]) => [x, y, low + high + 0.02]), c: isOn ? [255, 255, 255, 255] : [8, 14, 26, 170], w: isOn ? 4 : 1.2 });
        }
      }
      for (const room of this.record.rooms) if (room.l === l && room.x) for (const ring of room.p) {
        const drawn = shrink(ring, room.x).map((point) => this.at(point, z + SLAB_M));
        rooms.push({ p: [drawn], h: Math.min(high, 0.5), c: INK.empty });
      }
      if (![...this.record.units, ...this.record.rooms].some((unit) => unit.l === l && unit.p.length)) edges.push(...this.record.outline.map((ring) => ({ l: ring.map((point) => this.at(point, z + SLAB_M + 0.02)), c: [143, 180, 216, 200], w: 1.5 })));
    }
    const [low, high] = shown.length ? [shown[0].z, shown.at(-1).z + (this.isCut(shown.at(-1).l) ? CUT_M : shown.at(-1).h)] : [0, 0];
    const shafts = this.record.stairs.map(({ x }) => ({ p: [square(x, SHAFT_M).map((point) => this.at(point, low + SLAB_M))], h: Math.max(1, high - low), c: INK.shaft }));
    const doors = this.isShown(1) ? this.record.entrances.map(({ x }) => ({ p: [square([x[0], x[1] - 0.35], 1.3, 0.7).map((point) => this.at(point, shown[0].z))], h: 2.3, c: INK.door })) : [];
    return [
      solid("opened-slabs", slabs),
      solid("opened-rooms", rooms, { pickable: true, autoHighlight: true, highlightColor: [255, 255, 255, 50] }),
      solid("opened-doors", doors),
      { "@@type": "PathLayer", id: "opened-edges", ...common, data: edges, getPath: "@@=l", getColor: "@@=c", getWidth: "@@=w", widthUnits: "pixels", jointRounded: true, parameters: { depthCompare: "less-equal" } },
      solid("opened-stairs", shafts, { parameters: { depthWriteEnabled: false } }),
    ];
  }

  /** Numbers and names over what is drawn, as boxes: no other word is written over them. */
  place(viewport, rem) {
    this.boxes = [];
    if (!this.record) return this.boxes;
    const project = (point, z) => {
      const [x, y, height] = this.at(point, z);
      return viewport.project([...toLngLat(this.table.data.frame, [x, y]), height]);
    };
    const shown = this.storeys().filter((one) => this.isShown(one.l));
    for (const { l, z, h } of [...shown].reverse()) {
      const isCut = this.isCut(l);
      const top = z + SLAB_M + (isCut ? Math.min(CUT_M, h - SINK_M) : h - SINK_M);
      this.sign(project([-1.2, 0], z + 0.4), this.nameLevel(l), 0.82 * rem, l === this.level ? "#ffffff" : "#bcd3ea");
      if (isCut) for (const room of this.record.rooms) if (room.l === l && room.x) this.sign(project(room.x, z + SLAB_M + 0.5), room.n, 0.7 * rem, "#9fb3cb");
      if (!isCut) continue; // seen from the side only: the number would lie on the neighbour above
      for (const unit of this.record.units) {
        if (unit.l !== l || !unit.x) continue;
        const look = paint(unit, this.colour);
        const [x, y] = project(unit.x, top);
        const room = widest(unit, (point) => project(point, top));
        const size = Math.min(1.25 * rem, (room / Math.max(3, unit.n.length)) * 1.5);
        if (size < 0.5 * rem && unit.id !== this.unit) continue; // too far to be read: nearer it is
        this.sign([x, y], unit.n, Math.max(size, 0.62 * rem), look.ink, look.tag ? this.t(look.tag, look.tagValues) : look.mark ? "◆" : "");
      }
    }
    if (this.isShown(1)) {
      const ground = shown[0]?.z ?? 0;
      for (const door of this.record.entrances) this.sign(project([door.x[0], door.x[1] - 1.6], ground + 0.4), door.n || this.t("inside.entrance"), 0.8 * rem, "#9fdcff");
    }
    const last = shown.at(-1);
    if (last) for (const { x } of this.record.stairs) this.sign(project(x, last.z + (this.isCut(last.l) ? CUT_M : last.h) + 0.6), this.t("inside.stairs"), 0.66 * rem, "#9fdcff");
    return this.boxes;
  }

  sign([x, y, depth = 0], text, size, ink, below = "") {
    if (!text || depth > 1) return;
    this.measure ??= document.createElement("canvas").getContext("2d");
    this.measure.font = `700 ${size.toFixed(1)}px ${FONT}`;
    const half = [this.measure.measureText(text).width / 2 + 2, size * (below ? 1.05 : 0.6)];
    const box = { left: x - half[0], right: x + half[0], top: y - size * 0.6, bottom: y - size * 0.6 + half[1] * 2 };
    if (this.boxes.some((b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top)) return;
    this.boxes.push({ ...box, words: [[text, y, size], [below, y + size * 0.88, size * 0.72]], x, ink });
  }

  draw(context) {
    for (const { words, x, ink } of this.boxes) {
      for (const [text, y, size] of words) {
        if (!text) continue;
        context.font = `700 ${size.toFixed(1)}px ${FONT}`;
        if (ink !== DARK) { // on a light room no halo: it would only blur the figures
          context.strokeStyle = "rgba(6,11,22,0.85)";
          context.lineWidth = 3;
          context.strokeText(text, x, y);
        }
        context.fillStyle = ink;
        context.fillText(text, x, y);
      }
    }
  }

  nameLevel(level) {
    return level < 0 ? this.t("inside.basement", { n: -level }) : this.t("inside.level", { n: level });
  }

  /** Where one looks who stands before the front, clockwise in degrees from grid north. */
  get bearing() {
    const [east, north] = this.record.at.d;
    return (Math.atan2(east, north) * 180) / Math.PI;
  }

  /** Corners of what is shown, with heights, for the camera. */
  extent() {
    const shown = this.storeys().filter((one) => this.isShown(one.l));
    const heights = [shown[0]?.z ?? 0, (shown.at(-1)?.z ?? 0) + 3];
    const [long, deep] = this.record.size;
    return heights.flatMap((z) => [[-3, -3], [long + 3, -3], [long + 3, deep + 3], [-3, deep + 3]].map((point) => this.at(point, z)));
  }

  /** Something was selected: a unit of this building is lit on its storey; another building shuts this one. */
  follow(picked) {
    const unit = picked?.kind === "unit" ? this.record.units.find((one) => one.id === picked.id) : null;
    if (picked?.kind === "building" && picked.id !== this.id) return this.close();
    if (picked?.kind === "unit" && !unit) return this.close();
    this.unit = unit?.id ?? null;
    if (unit && !this.isShown(unit.l)) this.level = unit.l;
    return this.show();
  }

  // ---- the panel ---------------------------------------------------------------------------------------------------

  show() {
    if (this.table.visiting && !FOR_VISITORS.includes(this.colour)) this.colour = FOR_VISITORS[0];
    this.panel.hidden = false;
    this.table.labels.without = this.id; // its storeys say its name
    this.drawPanel();
    this.table.refresh();
  }

  setLevel(level, isSaid = false) {
    this.level = level;
    if (level === null) this.alone = false;
    this.show();
    if (!isSaid && level !== null) this.table.surfaces.channel.say("floor", { building: this.id, level });
  }

  setColour(name, isSaid = false) {
    if (!this.colours.includes(name) || name === this.colour) return;
    this.colour = name;
    this.show();
    if (!isSaid) this.table.surfaces.channel.say("colour", name);
  }

  drawPanel() {
    const { record } = this;
    const levels = record.levels.map((one) => one.l).sort((a, b) => a - b);
    const at = this.level === null ? levels.length : levels.indexOf(this.level);
    const go = (i) => this.setLevel(i >= levels.length ? null : levels[Math.max(0, i)]);
    const button = (name, on, act, more = {}) => el("button", { type: "button", class: "sp-button", "data-open": name, "aria-pressed": on === null ? null : String(on), onclick: act, ...more }, this.t(`inside.${name}`));
    const slider = el("input", { type: "range", class: "io-slider", min: 0, max: levels.length, step: 1, "aria-label": this.t("inside.floor_slider"), "aria-valuetext": this.sayLevel(), oninput: (event) => go(Number(event.target.value)) });
    slider.value = String(at);
    const held = this.panel.contains(document.activeElement) && document.activeElement.matches(".io-slider");
    this.panel.replaceChildren(
      el("header", {}, el("strong", {}, record.name), el("span", {}, this.sayLevel()),
        record.schematic ? el("em", { class: "io-schematic" }, this.t("inside.schematic")) : null,
        el("span", { class: "sp-fill" }), button("close", null, () => this.table.closeInside())),
      el("div", { class: "io-row" },
        el("button", { type: "button", class: "sp-button", "data-open": "down", "aria-label": this.t("inside.floor_down"), disabled: at <= 0, onclick: () => go(at - 1) }, "−"),
        slider,
        el("button", { type: "button", class: "sp-button", "data-open": "up", "aria-label": this.t("inside.floor_up"), disabled: at >= levels.length, onclick: () => go(at + 1) }, "+"),
        button("floor_alone", this.alone, () => {
          this.alone = !this.alone;
          if (this.level === null) this.level = levels.find((l) => l > 0) ?? levels[0];
          this.setLevel(this.level);
        }),
        button("floors_apart", this.apart, () => {
          this.apart = !this.apart;
          this.show();
          this.table.flyToOpened();
        })),
      this.drawColours(), this.drawLegend());
    if (held) slider.focus(); // the slider is held: it must not be taken from under the finger
  }

  sayLevel() {
    if (this.level === null) return this.t("inside.all_floors");
    return this.t(this.alone ? "inside.only_level" : "inside.up_to_level", { level: this.nameLevel(this.level) });
  }

  drawColours() {
    return el("nav", { class: "io-row", "aria-label": this.t("inside.colour_by") }, ...this.colours.map((name) => el("button", {
      type: "button", class: "sp-button", "data-colour": name, "aria-pressed": String(name === this.colour), onclick: () => this.setColour(name),
    }, this.t(`inside.by_${name}`))));
  }

  drawLegend() {
    const counts = new Map();
    for (const unit of this.record.units) {
      if (!this.isShown(unit.l)) continue;
      const look = paint(unit, this.colour);
      counts.set(look.key, { ...look, n: (counts.get(look.key)?.n ?? 0) + 1 });
    }
    const keys = [...counts.values()].sort((a, b) => a.rank - b.rank);
    if (!keys.length) return el("p", { class: "io-note" }, this.t(this.record.units.length ? "inside.level_without_units" : "inside.no_units"));
    return el("ul", { class: "io-legend" }, ...keys.map((look) => el("li", {},
      el("i", { style: `background:${look.fill};color:${look.ink}` }, look.tag && !look.tagValues ? this.t(look.tag) : look.mark ? "◆" : ""), el("span", {}, this.t(look.say, look.values)), el("b", {}, String(look.n)))));
  }
}

const shrink = (ring, [cx, cy]) => ring.map(([a, d]) => [cx + (a - cx) * JOINT, cy + (d - cy) * JOINT]);

function square([a, d], wide, deep = wide) {
  const [w, h] = [wide / 2, deep / 2];
  return [[a - w, d - h], [a + w, d - h], [a + w, d + h], [a - w, d + h], [a - w, d - h]];
}

/** How wide a unit is on the screen, CSS pixels. */
function widest(unit, project) {
  const xs = unit.p.flat().map((point) => project(point)[0]);
  return xs.length ? Math.max(...xs) - Math.min(...xs) : 0;
}
