// A floor plan drawn over a photo of it. The photo stays in this browser; two points of it and the metres between them
// set it to scale, then it is moved and turned until it fits the building's outline. What is drawn is told part by part.
import { el } from "../hud.js";
import { drawMark } from "../inside/symbols.js";

const AREAS = ["room", "corridor", "stairs"];
const KINDS = [...AREAS, "wall", "door", "exit", "extinguisher", "hydrant", "gas", "power", "camera", "hazard"];
const SNAP_PX = 10;
const PAD_M = 4;
const boards = new WeakMap();

/** Called by Streamlit when the component appears and whenever its data change. */
export function render(component) {
  const host = component.parentElement.querySelector(".tr-tracing");
  let board = boards.get(host);
  if (board) board.update(component);
  else {
    board = new Tracing(host, component);
    boards.set(host, board);
    window.shapanTracing = board; // the handle for tests
  }
  board.leaving = false;
  return () => {
    board.leaving = true;
    setTimeout(() => board.leaving && (boards.delete(host), board.destroy()), 500);
  };
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

class Tracing {
  constructor(host, component) {
    Object.assign(this, { host, component, mode: "photo", kind: "room", points: [], measure: [], photo: null, chosen: null });
    this.tools = el("nav", { class: "tr-tools" });
    this.hint = el("p", { class: "tr-hint", role: "status" });
    this.board = svg("svg", { class: "tr-board", tabindex: 0, role: "application" });
    this.file = el("input", { type: "file", accept: "image/*", hidden: true, onchange: () => this.open(this.file.files[0]) });
    this.name = el("input", { class: "tr-name", maxlength: 60, placeholder: this.t("part_name"), "aria-label": this.t("part_name") });
    host.replaceChildren(this.tools, this.hint, this.board, this.file);
    this.listen();
    this.draw();
  }

  t(key, values = {}) {
    const text = this.component.data.strings[`plans.${key}`] ?? this.component.data.strings[`inside.${key}`] ?? "";
    return Object.entries(values).reduce((said, [name, value]) => said.replaceAll(`{${name}}`, value), text);
  }

  get storey() {
    return this.component.data.storey;
  }

  update(component) {
    this.component = component;
    this.draw();
  }

  destroy() {
    if (this.photo) URL.revokeObjectURL(this.photo.url);
    window.removeEventListener("pointerup", this.onUp);
  }

  /** A photo from this computer, laid over the whole outline until it is set to scale. */
  async open(file) {
    if (!file) return;
    const url = URL.createObjectURL(file);
    const image = new Image();
    image.src = url;
    await image.decode().catch(() => null);
    if (!image.naturalWidth) {
      URL.revokeObjectURL(url);
      this.hint.textContent = this.t("photo_bad");
      return;
    }
    if (this.photo) URL.revokeObjectURL(this.photo.url);
    const [long, deep] = this.storey.size;
    const scale = Math.max(long / image.naturalWidth, deep / image.naturalHeight);
    this.photo = { url, width: image.naturalWidth, height: image.naturalHeight, scale, angle: 0, x: long / 2, y: deep / 2 };
    this.setMode("scale");
  }

  /** Metres of the frame, `d` upwards, of a place on the screen. */
  place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.board.getScreenCTM().inverse());
    return [point.x, this.storey.size[1] - point.y];
  }

  /** A place, or the corner near enough to be meant. */
  snap(place) {
    const reach = SNAP_PX / Math.max(1e-6, this.board.getScreenCTM().a);
    const corners = [...this.storey.outline.flat(), ...this.storey.parts.flatMap((part) => (part.p ?? part.d ?? []).flat()), ...this.points];
    let best = { place, far: reach };
    for (const corner of corners) {
      const far = Math.hypot(corner[0] - place[0], corner[1] - place[1]);
      if (far < best.far) best = { place: corner, far };
    }
    return best.place;
  }

  listen() {
    this.board.addEventListener("pointerdown", (event) => {
      if (event.isPrimary && event.button === 0) this.drag = { from: this.place(event), photo: this.photo && { ...this.photo }, moved: false, target: event.target };
    });
    this.board.addEventListener("pointermove", (event) => {
      if (!this.drag || this.mode !== "move" || !this.photo) return;
      const [x, y] = this.place(event);
      this.drag.moved = true;
      Object.assign(this.photo, { x: this.drag.photo.x + x - this.drag.from[0], y: this.drag.photo.y + y - this.drag.from[1] });
      this.draw();
    });
    this.onUp = (event) => {
      const { drag } = this;
      this.drag = null;
      if (drag && !drag.moved && this.board.contains(event.target)) this.press(this.place(event), drag.target);
    };
    window.addEventListener("pointerup", this.onUp);
    this.board.addEventListener("dblclick", () => this.finish());
    this.board.addEventListener("keydown", (event) => {
      const keys = { Enter: () => this.finish(), Escape: () => this.setMode("choose"), Backspace: () => { this.points.pop(); this.draw(); }, Delete: () => this.remove() };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  press(place, target) {
    this.board.focus();
    if (this.mode === "scale" && this.photo) {
      this.measure = [...(this.measure.length === 2 ? [] : this.measure), place];
      if (this.measure.length === 2) this.askMetres();
    } else if (this.mode === "draw") {
      const point = this.snap(place);
      const last = this.points.at(-1);
      if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.05) return; // the second press of a double click
      this.points.push(point);
      if (![...AREAS, "wall"].includes(this.kind)) this.finish();
    } else {
      const hit = target.closest?.("[data-part]");
      this.chosen = hit ? Number(hit.dataset.part) : null;
    }
    this.draw();
  }

  askMetres() {
    const [[ax, ay], [bx, by]] = this.measure;
    const drawn = Math.hypot(bx - ax, by - ay);
    const metres = el("input", { type: "number", class: "tr-name", min: 0.1, max: 1000, step: "any", "data-metres": "", "aria-label": this.t("metres_between") });
    const set = () => {
      const value = Number(metres.value);
      if (!(value > 0) || !(drawn > 0)) return;
      // About the first point, which stays where it is.
      const share = value / drawn;
      Object.assign(this.photo, { scale: this.photo.scale * share, x: ax + (this.photo.x - ax) * share, y: ay + (this.photo.y - ay) * share });
      this.measure = [];
      this.setMode("move");
    };
    const form = el("form", { class: "tr-ask", onsubmit: (event) => { event.preventDefault(); set(); } },
      el("label", {}, this.t("metres_between"), metres), el("button", { type: "submit", class: "tr-button" }, this.t("metres_set")));
    this.hint.replaceChildren(form);
    metres.focus();
  }

  finish() {
    const least = AREAS.includes(this.kind) ? 3 : this.kind === "wall" ? 2 : 1;
    if (this.mode === "draw" && this.points.length >= least) {
      const points = this.points.map((point) => point.map((value) => Math.round(value * 100) / 100));
      this.component.setTriggerValue("act", { what: "add", kind: this.kind, name: this.name.value.trim(), points });
      this.name.value = "";
    }
    this.points = [];
    this.draw();
  }

  remove() {
    if (this.chosen !== null) this.component.setTriggerValue("act", { what: "remove", id: this.chosen });
    this.chosen = null;
  }

  turn(degrees) {
    if (this.photo) this.photo.angle += degrees;
    this.draw();
  }

  setMode(mode) {
    Object.assign(this, { mode, points: [], measure: [] });
    this.draw();
  }

  draw() {
    const { storey, photo } = this;
    const [long, deep] = storey.size;
    const at = ([a, d]) => [a, deep - d];
    const path = (line, shut) => `M${line.map((point) => at(point).map((v) => v.toFixed(2)).join(" ")).join("L")}${shut ? "Z" : ""}`;
    this.board.setAttribute("viewBox", `${-PAD_M} ${-PAD_M} ${long + 2 * PAD_M} ${deep + 2 * PAD_M}`);
    this.board.dataset.mode = this.mode;
    const parts = [];
    if (photo) {
      const [x, y] = at([photo.x, photo.y]);
      const [w, h] = [photo.width * photo.scale, photo.height * photo.scale];
      parts.push(svg("image", { href: photo.url, width: w, height: h, x: -w / 2, y: -h / 2, opacity: 0.6, transform: `translate(${x} ${y}) rotate(${photo.angle})`, preserveAspectRatio: "none" }));
    }
    parts.push(...storey.outline.map((ring) => svg("path", { class: "tr-outline", d: path(ring, true) })));
    for (const part of storey.parts) {
      const more = { "data-part": part.i, "data-on": part.i === this.chosen ? "yes" : "no" };
      if (part.p) parts.push(svg("path", { class: `tr-${part.k}`, d: part.p.map((ring) => path(ring, true)).join(""), ...more }));
      else if (part.d) parts.push(...part.d.map((line) => svg("path", { class: "tr-wall", d: path(line, false), ...more })));
      if (part.x && !["room", "corridor"].includes(part.k)) parts.push(svg("g", more, drawMark(svg, part.k, ...at(part.x), long / 45)));
      if (part.p && part.n) parts.push(svg("text", { class: "tr-label", x: at(part.x)[0], y: at(part.x)[1], "font-size": long / 60 }, part.n));
    }
    if (this.points.length) parts.push(svg("path", { class: "tr-new", d: path(this.points, false) }));
    for (const point of [...this.points, ...this.measure]) parts.push(svg("circle", { class: "tr-point", cx: at(point)[0], cy: at(point)[1], r: long / 200 }));
    if (this.measure.length === 2) parts.push(svg("path", { class: "tr-new", d: path(this.measure, false) }));
    this.board.replaceChildren(...parts);
    this.drawTools();
    if (this.measure.length !== 2) this.hint.textContent = this.t(`hint_${this.mode}`);
  }

  drawTools() {
    const key = JSON.stringify([this.mode, this.kind, Boolean(this.photo), this.chosen, this.points.length > 1, this.t("mode_draw")]);
    if (key === this.drawn) return; // a button that is being pressed must not be replaced
    this.drawn = key;
    const button = (name, act, more = {}) => el("button", { type: "button", class: "tr-button", "data-tool": name, onclick: act, ...more }, this.t(name));
    const mode = (name) => button(`mode_${name}`, () => this.setMode(name), { "aria-pressed": String(this.mode === name), disabled: ["scale", "move"].includes(name) && !this.photo });
    this.tools.replaceChildren(
      button("photo", () => this.file.click()), mode("scale"), mode("move"),
      ...(this.mode === "move" ? [-90, -1, 1, 90].map((degrees) => el("button", { type: "button", class: "tr-button", onclick: () => this.turn(degrees) }, `${degrees > 0 ? "↻" : "↺"} ${Math.abs(degrees)}°`)) : []),
      mode("draw"),
      ...(this.mode === "draw" ? [el("select", { class: "tr-name", "aria-label": this.t("part_kind"), "data-kind": "", onchange: (event) => { this.kind = event.target.value; this.points = []; this.draw(); } },
        ...KINDS.map((kind) => el("option", { value: kind, selected: kind === this.kind }, this.t(`mark_${kind}`)))), this.name, button("part_finish", () => this.finish())] : []),
      mode("choose"), button("part_remove", () => this.remove(), { disabled: this.chosen === null }));
  }
}
