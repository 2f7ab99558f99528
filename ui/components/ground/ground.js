// The plan on which gates and walls are drawn: wheel and drag to move about, a click places, an end is snapped to what
// is there. Each finished gesture is told as one act; what is on the plan is what the server says.
import { el } from "../hud.js";

const SNAP_PX = 11;
const NAMES_BELOW = 0.45; // metres a pixel: farther away they would cover one another
const grounds = new WeakMap();

/** Called by Streamlit when the component appears and whenever its data change. */
export function render(component) {
  const host = component.parentElement.querySelector(".gr-ground");
  let ground = grounds.get(host);
  if (ground) ground.update(component);
  else {
    ground = new Ground(host, component);
    grounds.set(host, ground);
    window.shapanGround = ground; // the handle for tests
  }
  ground.leaving = false;
  return () => {
    ground.leaving = true;
    setTimeout(() => ground.leaving && (grounds.delete(host), ground.destroy()), 500);
  };
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const path = (points, shut = false) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("") + (shut ? "Z" : "");

class Ground {
  constructor(host, component) {
    Object.assign(this, { host, component, mode: "choose", points: [], at: null, drag: null });
    this.tools = el("nav", { class: "gr-tools" });
    this.hint = el("p", { class: "gr-hint", role: "status" });
    this.svg = svg("svg", { class: "gr-plan", tabindex: 0, role: "application" });
    this.base = svg("g", {});
    this.things = svg("g", {});
    this.draft = svg("g", { class: "gr-draft" });
    this.svg.append(this.base, this.things, this.draft);
    host.replaceChildren(this.tools, this.hint, this.svg);
    this.view = this.whole();
    this.listen();
    this.drawBase();
    this.draw();
    this.watch = new ResizeObserver(() => this.setView(this.view));
    this.watch.observe(this.svg);
  }

  get plan() {
    return this.component.data.plan;
  }

  t(key) {
    return this.component.data.strings[`ground.${key}`] ?? "";
  }

  update(component) {
    const before = this.component.data;
    this.component = component;
    if (before.plan.base !== component.data.plan.base) {
      this.drawBase();
      if (before.plan.size.join() !== component.data.plan.size.join()) this.setView(this.whole());
    }
    this.sent = null;
    this.draw();
  }

  destroy() {
    this.watch.disconnect();
    window.removeEventListener("pointerup", this.onUp);
  }

  act(what, more = {}) {
    this.component.setTriggerValue("act", { what, ...more });
  }

  // ---- the view ----------------------------------------------------------------------------------------------------

  whole() {
    const [width, height] = this.plan.size;
    return { x: width / 2, y: height / 2, span: Math.max(width, height) * 1.05 };
  }

  setView(view) {
    const { clientWidth: w, clientHeight: h } = this.svg;
    this.view = { ...view, span: Math.min(Math.max(view.span, 15), Math.max(...this.plan.size) * 1.6) };
    this.scale = this.view.span / Math.max(1, Math.min(w, h)); // metres a pixel
    const [width, height] = [w * this.scale, h * this.scale];
    this.svg.setAttribute("viewBox", `${this.view.x - width / 2} ${this.view.y - height / 2} ${width} ${height}`);
    this.draw();
  }

  zoom(factor, at = [this.view.x, this.view.y]) {
    const { x, y, span } = this.view;
    this.setView({ x: at[0] + (x - at[0]) * factor, y: at[1] + (y - at[1]) * factor, span: span * factor });
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    const { clientWidth: w, clientHeight: h } = this.svg;
    return [this.view.x + (event.clientX - box.left - w / 2) * this.scale, this.view.y + (event.clientY - box.top - h / 2) * this.scale];
  }

  /** The place itself, or what is near enough to be meant: an end or corner of a wall, a corner of a building, for a gate also the wall between. */
  snap(place, { along = false, without = null } = {}) {
    const reach = SNAP_PX * this.scale;
    let best = { place, far: reach };
    const offer = (point) => {
      const far = Math.hypot(point[0] - place[0], point[1] - place[1]);
      if (far < best.far) best = { place: point, far };
    };
    for (const wall of this.plan.walls) if (wall.id !== without) wall.l.forEach(offer);
    if (best.far === reach && along) for (const wall of this.plan.walls) for (let i = 1; i < wall.l.length; i += 1) offer(foot(place, wall.l[i - 1], wall.l[i]));
    if (best.far === reach && !along) for (const ring of this.plan.base.buildings) ring.forEach(offer);
    return best.place;
  }

  // ---- gestures ----------------------------------------------------------------------------------------------------

  listen() {
    const { svg: board } = this;
    board.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(Math.sign(event.deltaY) * Math.min(1, Math.abs(event.deltaY) / 200) * 0.35), this.place(event));
    }, { passive: false });
    board.addEventListener("pointerdown", (event) => this.down(event));
    board.addEventListener("pointermove", (event) => this.move(event));
    this.onUp = (event) => this.up(event);
    window.addEventListener("pointerup", this.onUp);
    board.addEventListener("dblclick", (event) => {
      event.preventDefault();
      if (this.mode === "wall") this.finish();
    });
    board.addEventListener("keydown", (event) => {
      const keys = {
        Enter: () => this.finish(),
        Escape: () => this.setMode("choose"),
        Backspace: () => (this.points.length ? (this.points.pop(), this.draw()) : this.remove()),
        Delete: () => this.remove(),
      };
      if (keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
  }

  down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    const place = this.place(event);
    const handle = this.component.data.may && event.target.closest("[data-handle]");
    const chosen = this.plan.chosen;
    if (this.mode === "choose" && handle) this.drag = { what: "handle", i: Number(handle.dataset.handle), from: place, id: chosen.id, table: chosen.table };
    else this.drag = { what: "view", from: [event.clientX, event.clientY], view: this.view };
    this.drag.target = event.target;
    this.drag.moved = false;
  }

  move(event) {
    this.at = this.mode === "wall" ? this.snap(this.place(event)) : this.mode === "gate" ? this.snap(this.place(event), { along: true }) : null;
    const { drag } = this;
    if (drag?.what === "view") {
      const [dx, dy] = [event.clientX - drag.from[0], event.clientY - drag.from[1]];
      if (Math.hypot(dx, dy) > 5) drag.moved = true;
      if (drag.moved) this.setView({ ...this.view, x: drag.view.x - dx * this.scale, y: drag.view.y - dy * this.scale });
    } else if (drag?.what === "handle") {
      drag.moved = true;
      drag.to = this.snap(this.place(event), { along: drag.table === "gates", without: drag.id });
      this.draw();
    } else if (this.at) this.drawDraft();
  }

  up(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.what === "handle") {
      if (!drag.moved || !drag.to) return;
      const chosen = this.find(drag.table, drag.id);
      const points = drag.table === "gates" ? [drag.to] : chosen.l.map((point, i) => (i === drag.i ? drag.to : point));
      this.act(drag.table === "gates" ? "move_gate" : "move_wall", { table: drag.table, id: drag.id, points });
      return;
    }
    if (drag.moved) return;
    this.svg.focus();
    if (this.mode === "gate") this.act("add_gate", { points: [this.snap(this.place(event), { along: true })] });
    else if (this.mode === "wall") this.addPoint(this.snap(this.place(event)));
    else {
      const hit = drag.target.closest?.("[data-id]");
      this.act("select", hit ? { table: hit.dataset.table, id: hit.dataset.id } : { table: "", id: "" });
    }
    if (this.mode === "gate") this.setMode("choose");
  }

  addPoint(point) {
    const last = this.points[this.points.length - 1];
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.05) return; // the second press of a double click
    this.points.push(point);
    this.draw();
  }

  finish() {
    if (this.points.length >= 2) this.act("add_wall", { points: this.points });
    this.setMode("choose");
  }

  remove() {
    const { chosen } = this.plan;
    if (chosen && this.component.data.may) this.act("remove", chosen);
  }

  setMode(mode) {
    this.mode = mode;
    this.points = [];
    this.at = null;
    this.draw();
  }

  find(table, id) {
    return this.plan[table].find((one) => one.id === id);
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  drawBase() {
    const { base } = this.plan;
    this.base.replaceChildren(
      ...base.border.map((ring) => svg("path", { class: "gr-border", d: path(ring, true) })),
      ...base.roads.map((line) => svg("path", { class: "gr-road", d: path(line) })),
      ...base.buildings.map((ring) => svg("path", { class: "gr-building", d: path(ring, true) })),
      ...base.labels.map(({ t, x }) => svg("text", { class: "gr-label", x: x[0], y: x[1] }, t)));
  }

  draw() {
    const { plan, scale, drag } = this;
    if (!scale) return;
    const { chosen } = plan;
    const isChosen = (table, id) => chosen?.table === table && chosen.id === id;
    const moved = (table, one, i, point) => (drag?.what === "handle" && drag.to && drag.table === table && drag.id === one.id && drag.i === i ? drag.to : point);
    const parts = [];
    for (const wall of plan.walls) {
      const line = wall.l.map((point, i) => moved("walls", wall, i, point));
      const more = { "data-table": "walls", "data-id": wall.id, "data-kind": wall.k, "data-seen": wall.v ? "yes" : "no", "data-on": isChosen("walls", wall.id) ? "yes" : "no" };
      parts.push(svg("path", { class: "gr-hit", d: path(line), "stroke-width": 12 * scale, ...more }), svg("path", { class: "gr-wall", d: path(line), ...more }));
    }
    for (const gate of plan.gates) {
      const [x, y] = moved("gates", gate, 0, gate.x);
      const r = 7 * scale;
      const more = { "data-table": "gates", "data-id": gate.id, "data-kind": gate.k, "data-seen": gate.v ? "yes" : "no", "data-on": isChosen("gates", gate.id) ? "yes" : "no", "data-handle": isChosen("gates", gate.id) ? 0 : null };
      parts.push(svg("path", { class: "gr-gate", d: `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`, ...more }, svg("title", {}, gate.n)));
      if (scale < 0.7 && gate.n) parts.push(svg("text", { class: "gr-name", x, y: y - r * 1.9, "font-size": 12 * scale }, gate.n));
    }
    const wall = chosen?.table === "walls" && this.component.data.may && this.find("walls", chosen.id);
    if (wall) wall.l.forEach((point, i) => {
      const [x, y] = moved("walls", wall, i, point);
      parts.push(svg("circle", { class: "gr-handle", cx: x, cy: y, r: 6 * scale, "data-handle": i }));
    });
    this.things.replaceChildren(...parts);
    this.base.dataset.names = scale < NAMES_BELOW ? "yes" : "no";
    for (const label of this.base.querySelectorAll(".gr-label")) label.setAttribute("font-size", 11 * scale);
    this.svg.dataset.mode = this.mode;
    this.drawDraft();
    this.drawTools();
  }

  drawDraft() {
    const { scale, at, points } = this;
    const line = at && this.mode === "wall" ? [...points, at] : points;
    const parts = [];
    if (line.length > 1) parts.push(svg("path", { class: "gr-new", d: path(line) }));
    for (const [x, y] of line) parts.push(svg("circle", { class: "gr-handle", cx: x, cy: y, r: 5 * scale }));
    if (at && this.mode === "gate") parts.push(svg("circle", { class: "gr-new", cx: at[0], cy: at[1], r: 8 * scale }));
    this.draft.replaceChildren(...parts);
    const metres = line.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - line[i][0], y - line[i][1]), 0);
    const said = this.t(this.component.data.may ? `hint_${this.mode}` : "hint_look");
    this.hint.textContent = metres ? `${said} ${this.t("length").replace("{m}", metres.toFixed(1))}` : said;
  }

  drawTools() {
    const { may } = this.component.data;
    const button = (name, act, more = {}) => el("button", { type: "button", class: "gr-button", "data-tool": name, onclick: act, ...more }, this.t(name));
    const mode = (name) => button(`mode_${name}`, () => this.setMode(name), { "aria-pressed": this.mode === name ? "true" : "false" });
    const key = JSON.stringify([may, this.mode, this.points.length > 1, Boolean(this.plan.chosen), this.t("mode_wall")]);
    if (key === this.toolsDrawn) return; // a button that is being pressed must not be replaced
    this.toolsDrawn = key;
    this.tools.replaceChildren(...[
      ...(may ? [mode("choose"), mode("gate"), mode("wall")] : []),
      this.mode === "wall" ? button("finish", () => this.finish(), { disabled: this.points.length < 2 }) : null,
      this.mode === "wall" ? button("back", () => { this.points.pop(); this.draw(); }) : null,
      may && this.mode === "choose" && this.plan.chosen ? button("remove", () => this.remove()) : null,
      el("span", { class: "gr-fill" }),
      button("closer", () => this.zoom(0.6)), button("farther", () => this.zoom(1.6)), button("whole", () => this.setView(this.whole())),
    ].filter(Boolean));
  }
}

/** The place of a stretch that is nearest to `place`. */
function foot([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / Math.max(1e-9, dx * dx + dy * dy)));
  return [ax + share * dx, ay + share * dy];
}
