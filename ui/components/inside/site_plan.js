// A key site's floor plan: rooms and ways of one storey, marks with their legend, and the way from the gate to a room
// that was touched. It knows no server: it is given a record (layers/site_plan.py) and says what was touched.
import { el } from "../hud.js";
import { MARKS, drawMark } from "./symbols.js";

const SYMBOL = 30;

export class SitePlan {
  /** `t(key, values)` is the catalogue; called back are `onRoom(part)` and `onInside()`, the way back to the section. */
  constructor(root, { t, onRoom = () => {}, onInside = () => {} }) {
    Object.assign(this, { root, t, onRoom, onInside, plan: null, level: null });
    this.board = el("div", { class: "sp-board" });
    this.head = el("header", { class: "in-head" });
    this.side = el("aside", { class: "sp-side" });
    root.classList.add("sp-plan");
    root.replaceChildren(this.head, this.board, this.side);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.board);
  }

  show(plan) {
    const isSame = this.plan?.id === plan?.id;
    this.plan = plan;
    if (!isSame || !plan?.levels.includes(this.level)) this.level = plan?.levels.includes(1) ? 1 : plan?.levels[0] ?? null;
    if (plan?.way?.legs.length) this.level = plan.way.legs.at(-1).l;
    this.draw();
  }

  selectLevel(level) {
    this.level = level;
    this.draw();
  }

  nameLevel(level) {
    return level < 0 ? this.t("inside.basement", { n: -level }) : this.t("inside.level", { n: level });
  }

  draw() {
    const { plan, t } = this;
    if (!plan) return;
    this.head.replaceChildren(el("h1", {}, plan.name), el("p", {}, t("inside.site_plan")),
      el("button", { type: "button", class: "sf-button sf-small", "data-plan": "section", onclick: () => this.onInside() }, t("inside.to_section")));
    this.drawBoard();
    this.side.replaceChildren(this.drawLevels(), this.drawWay(), this.drawLegend());
  }

  drawBoard() {
    const { clientWidth: width, clientHeight: height } = this.board;
    const { plan } = this;
    if (width < 50 || height < 50) return;
    const [long, deep] = plan.size;
    const pad = 44;
    const scale = Math.min((width - 2 * pad) / Math.max(long, 1), (height - 2 * pad) / Math.max(deep, 1));
    const at = ([a, d]) => [(width - long * scale) / 2 + a * scale, (height + deep * scale) / 2 - d * scale];
    const path = (line, shut) => `M${line.map((point) => at(point).map((v) => v.toFixed(1)).join(" ")).join("L")}${shut ? "Z" : ""}`;
    const here = plan.parts.filter((part) => part.l === this.level);
    const parts = plan.outline.map((ring) => svg("path", { class: "in-outline", d: path(ring, true) }));
    for (const part of here.filter((one) => one.p)) {
      parts.push(svg("path", { class: `sp-${part.k}`, d: part.p.map((ring) => path(ring, true)).join(""), "data-part": part.i, "data-on": plan.way?.to === part.i ? "yes" : "no", role: "button", tabindex: 0 }));
    }
    for (const part of here.filter((one) => one.d)) for (const line of part.d) parts.push(svg("path", { class: "sp-wall", d: path(line, false) }));
    for (const leg of plan.way?.legs ?? []) if (leg.l === this.level) parts.push(svg("path", { class: "sp-way-under", d: path(leg.d, false) }), svg("path", { class: "sp-way", d: path(leg.d, false) }));
    for (const part of here.filter((one) => one.p && one.n)) {
      const [x, y] = at(part.x);
      parts.push(svg("text", { class: "sp-name", x: x.toFixed(1), y: y.toFixed(1) }, part.n));
    }
    for (const part of here) {
      if (!MARKS.includes(part.k) || !part.x) continue;
      const [x, y] = at(part.x);
      const mark = drawMark(svg, part.k, x, part.p ? y + SYMBOL * 0.9 : y, SYMBOL);
      mark.append(svg("title", {}, [this.t(`inside.mark_${part.k}`), part.n].filter(Boolean).join(" · ")));
      parts.push(mark);
    }
    for (const place of plan.entrances) {
      const [x, y] = at(place);
      parts.push(svg("path", { class: "in-door", d: `M${x} ${y + 3}l-9 15h18Z` }));
    }
    const board = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": this.t("inside.site_plan") }, ...parts);
    board.addEventListener("click", (event) => {
      const hit = event.target.closest("[data-part]");
      if (hit) this.onRoom(Number(hit.dataset.part));
    });
    this.board.replaceChildren(board);
  }

  drawLevels() {
    if (this.plan.levels.length < 2) return el("p", { class: "in-note" }, this.nameLevel(this.level));
    return el("nav", { class: "sp-levels" }, ...this.plan.levels.map((level) => el("button", {
      type: "button", class: "sf-button sf-small", "data-level": level, "aria-pressed": String(level === this.level), onclick: () => this.selectLevel(level),
    }, this.nameLevel(level))));
  }

  drawWay() {
    const { t, plan: { way, parts } } = this;
    if (!way) return el("p", { class: "in-note" }, t("inside.touch_room"));
    const room = parts.find((part) => part.i === way.to);
    const outside = way.gate === null && way.outside_m === null ? t("inside.way_no_outside")
      : t("inside.way_outside", { gate: way.gate || t("inside.way_gate"), m: way.outside_m, s: Math.max(1, Math.round(way.outside_s / 60)) });
    const inside = way.inside_m === null ? t("inside.way_no_inside") : t("inside.way_inside", { m: way.inside_m, levels: way.legs.map((leg) => this.nameLevel(leg.l)).join(" → ") });
    return el("section", { class: "sp-told" }, el("h3", {}, t("inside.way_to", { room: room?.n || t(`inside.mark_${room?.k}`) })), el("p", {}, outside), el("p", {}, inside));
  }

  drawLegend() {
    const kinds = MARKS.filter((kind) => this.plan.parts.some((part) => part.k === kind));
    return el("ul", { class: "sp-legend" }, ...kinds.map((kind) => el("li", {}, svg("svg", { viewBox: "0 0 24 24", width: 24, height: 24 }, drawMark(svg, kind, 12, 12, 24)),
      el("span", {}, this.t(`inside.mark_${kind}`)), el("b", {}, String(this.plan.parts.filter((part) => part.k === kind).length)))));
  }
}

/** The form in which a school's plan is asked for; `send(reason)` gives an error's kind, or nothing. */
export function buildPurpose(t, send) {
  const problem = el("p", { class: "sf-problem", role: "alert" });
  const reason = el("input", { class: "sf-search", maxlength: 200, "aria-label": t("inside.purpose"), placeholder: t("inside.purpose") });
  return el("form", {
    class: "sp-purpose",
    onsubmit: async (event) => {
      event.preventDefault();
      const kind = await send(reason.value);
      problem.textContent = kind ? t(kind === "BadRecordError" ? "inside.purpose_short" : "inside.purpose_not_allowed") : "";
    },
  }, el("h2", {}, t("inside.purpose_title")), el("p", { class: "in-note" }, t("inside.purpose_text")), reason,
  el("button", { class: "sf-button sf-main", type: "submit" }, t("inside.purpose_open")), problem);
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
