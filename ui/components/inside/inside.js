// A building from inside: a section by entrances, storeys and rooms as seen from its front, beside it the plan of one
// storey. It knows no server: it is given a record (layers/inside.py), says what was touched, and shows what it is told.
import { el } from "../hud.js";
import { COLOURS, FOR_VISITORS, paint } from "./colours.js";
import { layOut } from "./layout.js";

const GAP = 0.06;

export class Inside {
  /**
   * `t(key, values)` is the catalogue; called back are `onUnit(id)`, `onFloor(level)` and `onColour(name)`. `findPanel(id)`
   * gives what is known of a home ({id, title, address, sections}), or nothing.
   */
  constructor(root, { t, onUnit = () => {}, onFloor = () => {}, onColour = () => {}, findPanel = null }) {
    Object.assign(this, { root, t, onUnit, onFloor, onColour, findPanel, record: null, unit: null, level: null, colour: "use", panel: null, visiting: false });
    this.section = el("div", { class: "in-section" });
    this.plan = el("div", { class: "in-plan" });
    this.head = el("header", { class: "in-head" });
    this.facts = el("div", { class: "in-facts" });
    this.legend = el("footer", { class: "in-legend" });
    this.side = el("aside", { class: "in-side" }, this.plan, this.facts);
    root.classList.add("in-root");
    root.replaceChildren(this.head, this.section, this.side, this.legend);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.section);
    this.watch.observe(this.plan);
  }

  /** Show another building, or nothing. */
  show(record, { unit = null, level = null } = {}) {
    this.record = record;
    this.panel = null; // what is known of a home may have changed as well
    this.layout = record ? layOut(record) : null;
    this.unit = unit;
    this.level = level ?? this.findUnit(unit)?.l ?? this.findFirstLevel();
    this.draw();
  }

  selectUnit(id) {
    this.unit = id;
    this.level = this.findUnit(id)?.l ?? this.level;
    this.draw();
  }

  selectLevel(level) {
    this.level = level;
    if (this.findUnit(this.unit)?.l !== level) this.unit = null;
    this.draw();
  }

  selectColour(name) {
    if (this.colours.includes(name)) this.colour = name;
    this.draw();
  }

  get colours() {
    return this.visiting ? FOR_VISITORS : COLOURS;
  }

  /** Visitors stand before the screens: nothing that is known of single homes. */
  setVisiting(on) {
    if (this.visiting === on) return;
    this.visiting = on;
    if (!this.colours.includes(this.colour)) this.colour = this.colours[0];
    this.draw();
  }

  findUnit(id) {
    return this.record?.units.find((unit) => unit.id === id) ?? null;
  }

  findFirstLevel() {
    const levels = this.record?.levels.map((one) => one.l) ?? [];
    return levels.includes(1) ? 1 : levels[0] ?? null;
  }

  nameLevel(level) {
    return level < 0 ? this.t("inside.basement", { n: -level }) : this.t("inside.level", { n: level });
  }

  destroy() {
    this.watch.disconnect();
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  draw() {
    this.root.dataset.empty = this.record ? "no" : "yes";
    if (!this.record) return;
    this.drawHead();
    this.drawSection();
    this.drawPlan();
    this.drawFacts();
    this.drawLegend();
  }

  drawHead() {
    const { record, t } = this;
    const [above, below] = record.floors;
    const facts = [
      t(`terms.use.${record.use}`), t("inside.floors", { n: above }), below ? t("inside.floors_below", { n: below }) : null,
      t("inside.entrances", { n: record.entrances.length }), t("inside.units", { n: record.units.length }),
      record.grid === null ? null : t("inside.grid", { n: record.grid }),
    ];
    this.head.replaceChildren(el("h1", {}, record.name), el("p", {}, record.address),
      el("ul", {}, ...facts.filter(Boolean).map((text) => el("li", {}, text))),
      record.assumed ? el("p", { class: "in-note" }, t("inside.floors_assumed")) : "");
  }

  drawSection() {
    const { clientWidth: width, clientHeight: height } = this.section;
    if (width < 50 || height < 50) return;
    const { columns, rows, slots } = this.layout;
    const side = Math.min(width * 0.11, 120);
    const foot = Math.min(height * 0.09, 64);
    const tall = Math.min((height - foot - 12) / rows.length, width * 0.12);
    const top = height - foot - tall * rows.length;
    const wide = (width - side - 8) / slots;
    const parts = [];
    rows.forEach((row, i) => {
      const y = top + i * tall;
      const on = row.l === this.level;
      parts.push(el("g", { class: "in-row", "data-level": row.l, "data-on": on ? "yes" : "no", role: "button", tabindex: 0, onclick: () => this.onFloor(row.l) },
        el("rect", { x: 0, y: y + 1, width: width, height: tall - 2, class: "in-floor" }),
        text(side / 2, y + tall / 2, this.nameLevel(row.l), Math.min(tall * 0.5, side * 0.3, (side * 0.92) / countEms(this.nameLevel(row.l))), "in-level")));
      for (const { unit, from, to } of row.cells) parts.push(this.drawCell(unit, side + from * wide, y, (to - from) * wide, tall));
    });
    for (const column of columns) {
      const [x0, x1] = [side + column.from * wide, side + column.to * wide];
      parts.push(el("path", { class: "in-shaft", d: `M${x0} ${top}V${height - foot}M${x1} ${top}V${height - foot}` }));
      const size = Math.min(foot * 0.42, ((x1 - x0) / Math.max(2, column.n.length)) * 0.9);
      const middle = (x0 + x1) / 2;
      parts.push(el("path", { class: "in-door", d: `M${middle - size * 0.45} ${height - foot + 3}h${size * 0.9}v${size * 0.5}h${-size * 0.9}Z` }),
        text(middle, height - foot * 0.3, column.n, size, "in-entrance"));
    }
    parts.push(el("path", { class: "in-ground", d: `M0 ${top + tall * rows.filter((row) => row.l > 0).length}H${width}` }));
    this.section.replaceChildren(el("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": this.t("inside.section") }, hatch(), ...parts));
  }

  drawCell(unit, x, y, width, height) {
    const look = paint(unit, this.colour);
    const [w, h] = [width * (1 - GAP), height * (1 - GAP * 2)];
    const [cx, cy] = [x + width / 2, y + height / 2];
    const number = Math.min(h * 0.5, (w / Math.max(3, unit.n.length)) * 1.25);
    const sign = h > 26 ? (look.tag ? this.t(look.tag, look.tagValues) : unit.t) : "";
    const parts = [
      el("rect", { x: cx - w / 2, y: cy - h / 2, width: w, height: h, rx: Math.min(6, h * 0.1), fill: look.fill, class: "in-unit", "data-hatch": look.hatch ? "yes" : null }),
      look.hatch ? el("rect", { x: cx - w / 2, y: cy - h / 2, width: w, height: h, rx: Math.min(6, h * 0.1), fill: "url(#in-hatch)" }) : null,
      text(cx, sign ? cy - h * 0.14 : cy, unit.n, number, "in-number", look.ink),
      sign ? text(cx, cy + h * 0.28, sign, Math.min(h * 0.2, (w / Math.max(3, sign.length)) * 0.9), "in-sign", look.ink) : null,
      look.mark ? el("path", { class: "in-mark", d: diamond(cx + w / 2 - h * 0.2, cy - h / 2 + h * 0.2, h * 0.12) }) : null,
    ];
    return el("g", { class: "in-cell", "data-unit": unit.id, "data-on": unit.id === this.unit ? "yes" : "no", role: "button", tabindex: 0,
      onclick: (event) => { event.stopPropagation(); this.onUnit(unit.id); } },
      svg("title", {}, [unit.n, unit.t, look.say && this.t(look.say, look.values)].filter(Boolean).join(" · ")), ...parts.filter(Boolean));
  }

  /** The storey from above, its front below. */
  drawPlan() {
    const { clientWidth: width, clientHeight: height } = this.plan;
    const { record } = this;
    if (width < 50 || height < 50) return;
    const [long, deep] = record.size;
    const pad = 30;
    const scale = Math.min((width - pad) / Math.max(long, 1), (height - pad * 2.4) / Math.max(deep, 1));
    const at = ([a, d]) => [(width - long * scale) / 2 + a * scale, height - pad * 1.5 - ((height - pad * 2.4) - deep * scale) / 2 - d * scale];
    const path = (ring) => `M${ring.map((point) => at(point).map((v) => v.toFixed(1)).join(" ")).join("L")}Z`;
    const units = record.units.filter((unit) => unit.l === this.level && unit.p.length);
    const parts = [el("path", { class: "in-outline", d: record.outline.map(path).join("") })];
    for (const way of record.landings) if (way.l === this.level) parts.push(el("path", { class: "in-landing", d: way.p.map(path).join("") }));
    for (const room of record.rooms) {
      if (room.l !== this.level || !room.x) continue;
      const [x, y] = at(room.x);
      parts.push(el("g", {}, svg("title", {}, this.t("inside.room_empty")), el("path", { class: "in-room", d: room.p.map(path).join("") }), text(x, y, room.n, 13, "in-none")));
    }
    for (const unit of units) {
      const look = paint(unit, this.colour);
      const [x, y] = at(unit.x);
      const xs = unit.p.flat().map((p) => p[0]);
      const ys = unit.p.flat().map((p) => p[1]);
      const room = Math.min((Math.max(...xs) - Math.min(...xs)) * scale / Math.max(3, unit.n.length) * 1.2, (Math.max(...ys) - Math.min(...ys)) * scale * 0.5);
      parts.push(el("g", { class: "in-cell", "data-unit": unit.id, "data-on": unit.id === this.unit ? "yes" : "no", onclick: () => this.onUnit(unit.id) },
        el("path", { class: "in-unit", fill: look.fill, d: unit.p.map(path).join("") }),
        look.hatch ? el("path", { fill: "url(#in-hatch-plan)", d: unit.p.map(path).join("") }) : null,
        text(x, y, unit.n, Math.min(30, room), "in-number", look.ink)));
    }
    for (const door of record.entrances) {
      const [x, y] = at(door.x);
      parts.push(el("path", { class: "in-door", d: `M${x} ${y + 3}l-7 12h14Z` }));
    }
    const note = units.length || record.rooms.some((room) => room.l === this.level) ? "" : this.t(record.units.length ? "inside.level_without_units" : "inside.no_units");
    parts.push(text(width / 2, pad * 0.6, `${this.nameLevel(this.level)} · ${this.t(record.schematic ? "inside.schematic_why" : "inside.plan")}`, 18, "in-caption"));
    if (note) parts.push(text(width / 2, height / 2, note, Math.min(17, (width / Math.max(12, note.length)) * 1.2), "in-none"));
    this.plan.replaceChildren(el("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": this.t("inside.plan") }, hatch("in-hatch-plan"), ...parts));
  }

  drawFacts() {
    const { t } = this;
    const unit = this.findUnit(this.unit);
    this.side.dataset.unit = unit && !this.visiting ? "yes" : "no";
    if (!unit || this.visiting) {
      const key = this.visiting ? "hidden_from_visitors" : this.record.units.length ? "touch_unit" : "no_units_why";
      this.facts.replaceChildren(el("p", { class: "in-note" }, t(`inside.${key}`)));
      this.panel = null;
      return;
    }
    if (this.panel?.asked !== unit.id) this.readPanel(unit.id);
    else if (this.panel.told) this.facts.replaceChildren(...this.drawPanel(this.panel.told));
    else this.facts.replaceChildren(el("h2", {}, unit.n), el("p", { class: "in-note" }, t(this.panel.failed ? "inside.panel_failed" : "inside.panel_loading")));
  }

  /** Ask what is known of a home; while it is on its way the number stands there. */
  async readPanel(id) {
    const panel = (this.panel = { asked: id, told: null });
    this.drawFacts();
    panel.told = (await this.findPanel?.(id).catch(() => null)) ?? null;
    panel.failed = !panel.told;
    if (this.panel === panel) this.drawFacts();
  }

  drawPanel({ title, address, sections }) {
    return [el("h2", {}, title), el("p", { class: "in-note" }, address), ...sections.map((part) => el("section", { "data-part": part.name },
      el("h3", {}, part.title),
      part.rows.length ? el("dl", {}, ...part.rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])) : null,
      part.lines.length ? el("ul", {}, ...part.lines.map((line) => el("li", {}, line))) : null,
      part.none ? el("p", { class: "in-note" }, part.none) : null))];
  }

  drawLegend() {
    const { t } = this;
    const counts = new Map();
    for (const unit of this.record.units) {
      const look = paint(unit, this.colour);
      counts.set(look.key, { ...look, n: (counts.get(look.key)?.n ?? 0) + 1 });
    }
    const keys = [...counts.values()].sort((a, b) => a.rank - b.rank);
    this.legend.replaceChildren(
      el("nav", { class: "in-modes", "aria-label": t("inside.colour_by") }, ...this.colours.map((name) => el("button", {
        type: "button", "data-colour": name, "aria-pressed": name === this.colour ? "true" : "false", onclick: () => this.onColour(name),
      }, t(`inside.by_${name}`)))),
      el("ul", {}, ...keys.map((look) => el("li", {},
        el("i", { style: `background:${look.fill}`, "data-hatch": look.hatch ? "yes" : "no" }, look.mark ? el("svg", { viewBox: "0 0 20 20" }, el("path", { class: "in-mark", d: diamond(10, 10, 6) })) : null),
        el("span", {}, t(look.say, look.values)), el("b", {}, String(look.n))))));
  }
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function text(x, y, words, size, name, fill = null) {
  return svg("text", { x: x.toFixed(1), y: y.toFixed(1), "font-size": Math.max(8, size).toFixed(1), class: name, fill }, words);
}

/** About how wide words are, in sizes of their font: a Chinese character fills its square, a letter less. */
const countEms = (words) => [...words].reduce((sum, one) => sum + (one.codePointAt(0) > 0x2e80 ? 1 : 0.62), 0);

const diamond = (x, y, r) => `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`;

function hatch(id = "in-hatch") {
  return svg("defs", {}, svg("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 3, height: 8, fill: "#0b1420", "fill-opacity": 0.55 })));
}
