// Everything around the table that is ours: top bar, left rail, tools, scale bar, dialogue of calibration, hover card.

/** An element with class, attributes, and children (text is text, never markup). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG_TAGS.has(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "polygon", "line", "g"]);

export const FIGURES = [
  ["residents", "residents"], ["floating_residents", "floating"],
  ["rentals", "rentals"], ["suspected_group_rentals", "suspected"],
  ["key_sites", "key_sites"], ["buildings", "buildings"],
  ["units", "units"], ["grids", "grids"],
];
export const DENOMINATORS = [300, 500, 1000, 2000];

const roof = (color) => el("rect", { x: 2, y: 6, width: 20, height: 12, fill: "none", stroke: color, "stroke-width": 1, opacity: 0.6 });

/** Swatch of the legend: a colour *and* a form. */
function swatch({ shape, color }) {
  const stroke = { fill: "none", stroke: color, "stroke-width": 2.4 };
  const shapes = {
    box: () => el("path", { d: "M3 8 12 4 21 8 21 19 12 22 3 19Z", fill: color, opacity: 0.9 }),
    window: () => el("rect", { x: 3, y: 8, width: 18, height: 8, rx: 1, fill: color }),
    diamond: () => el("path", { d: "M12 2 22 12 12 22 2 12Z", ...stroke }),
    pin: () => el("rect", { x: 3.5, y: 3.5, width: 17, height: 17, rx: 4, ...stroke }),
    line: () => el("path", { d: "M2 17 9 10 14 14 22 6", ...stroke }),
    wall: () => el("path", { d: "M2 18V9H22V18M8 18V9M16 18V9", ...stroke }),
    tree: () => el("path", { d: "M12 2 19 14H14V21H10V14H5Z", fill: color }),
    plate: () => el("rect", { x: 2, y: 6, width: 20, height: 12, fill: color }),
    "plate-narrow": () => el("g", {}, roof(color), el("rect", { x: 5, y: 8.4, width: 14, height: 7.2, fill: color })),
    "plate-rest": () => el("g", {}, roof(color), el("rect", { x: 7, y: 10.6, width: 10, height: 2.8, fill: color })),
    land: () => el("rect", { x: 2, y: 6, width: 20, height: 13, rx: 5, fill: color }),
    circle: () => el("circle", { cx: 12, cy: 12, r: 8, ...stroke }),
    hexagon: () => el("path", { d: "M7 3H17L22 12 17 21H7L2 12Z", ...stroke }),
    letters: () => el("path", { d: "M4 19 11 4H13L20 19M7 13H17", ...stroke }),
    beat: () => el("path", { d: "M4 6 13 3 21 9 18 20 6 21Z", ...stroke, fill: color, "fill-opacity": 0.25, "stroke-dasharray": "4 2.4" }),
    grid: () => el("path", { d: "M3 3H21V21H3ZM12 3V21M3 12H21", ...stroke }),
  };
  return el("svg", { viewBox: "0 0 24 24", class: "sp-swatch", "aria-hidden": "true" }, (shapes[shape] || shapes.box)());
}

export class Hud {
  /** `t(key)` is the catalogue; `act` holds what buttons do. */
  constructor(root, t, act) {
    Object.assign(this, { root, t, act, parts: {} });
  }

  build(data) {
    const { t } = this;
    this.parts = {};
    this.root.replaceChildren(this.buildTop(data), this.buildLeft(data), this.buildTools(), this.buildCorner(), this.buildHover());
    this.root.dataset.lang = data.lang;
    this.root.setAttribute("aria-label", t("table.name"));
  }

  keep(name, node) {
    this.parts[name] = node;
    return node;
  }

  button(key, onclick, more = {}) {
    return el("button", { type: "button", class: "sp-button", onclick, title: this.t(`${key}_help`) || null, "data-act": key.split(".").pop(), ...more }, this.t(key));
  }

  buildTop(data) {
    const { t, act } = this;
    const other = data.lang === "zh" ? "en" : "zh";
    return el("header", { class: "sp-top" },
      el("div", { class: "sp-brand" },
        el("svg", { viewBox: "0 0 32 32", class: "sp-logo", "aria-hidden": "true" },
          el("path", { d: "M3 21 16 27 29 21 16 15Z", fill: "#1d3a58", stroke: "#5cb8e6", "stroke-width": 1.4 }),
          el("path", { d: "M9 19V10L14 7.6V16.6ZM16 22V12L22 9V19Z", fill: "#8fb4d8" })),
        el("strong", {}, data.community.name),
        el("span", { class: "sp-sub" }, t("table.title"))),
      data.community.drill ? el("strong", { class: "sp-drill", role: "note" }, t("table.drill")) : null,
      data.community.synthetic ? el("span", { class: "sp-synthetic", role: "note" }, t("table.synthetic")) : null,
      el("span", { class: "sp-fill" }),
      this.keep("stamp", el("button", { type: "button", class: "sp-stamp", "data-truth": "none", onclick: act.calibrate })),
      this.keep("asOf", el("span", { class: "sp-asof" })),
      this.keep("online", el("span", { class: "sp-online", "data-on": "no" }, t("table.offline"))),
      this.buildMenu(data.menu),
      this.keep("pair", el("button", { type: "button", class: "sp-button sp-pair", "data-act": "pair", title: t("surfaces.pair_help"), onclick: act.pair }, t("surfaces.pair"))),
      this.button("table.visitor", act.visitor),
      el("button", { type: "button", class: "sp-button", "data-act": "lang", lang: other, onclick: () => act.language(other) }, t("table.other_language")),
      this.keep("clock", el("time", { class: "sp-clock" })));
  }

  /** Other pages, the roles of a demo, and the way out. */
  buildMenu(menu) {
    const link = (one) => el("a", { href: one.href, target: "_self", "aria-current": one.on ? "true" : null }, one.label);
    const parts = [...menu.pages.map(link)];
    if (menu.roles.length) parts.push(el("h3", {}, menu.rolesTitle), ...menu.roles.map(link));
    if (menu.account.length) parts.push(el("hr"), ...menu.account.map(link));
    return el("details", { class: "sp-menu" },
      el("summary", { class: "sp-button", "aria-label": menu.title }, menu.who),
      el("nav", { class: "sp-menu-list" }, ...parts));
  }

  buildLeft(data) {
    const { t, act } = this;
    const figures = el("dl", { class: "sp-figures" });
    for (const [name, key] of FIGURES) {
      figures.append(el("div", { class: "sp-figure", "data-kind": name },
        el("dt", {}, t(`table.figure_${key}`)), this.keep(`figure.${name}`, el("dd", {}, "–"))));
    }
    const layers = el("ul", { class: "sp-layers" });
    for (const one of data.switches) {
      const box = el("button", { type: "button", role: "switch", "aria-checked": one.on ? "true" : "false", class: "sp-layer", "data-switch": one.id,
        onclick: () => act.toggle(one.id) },
        swatch(one), el("span", { class: "sp-layer-name" }, one.label), this.keep(`count.${one.id}`, el("span", { class: "sp-count" })), el("i", { class: "sp-knob" }));
      const key = one.key.length ? el("ul", { class: "sp-key" }, ...one.key.map((line) => el("li", {}, swatch(line), line.label))) : null;
      layers.append(el("li", {}, this.keep(`switch.${one.id}`, box), ...(key ? [key] : [])));
    }
    const uses = el("div", { class: "sp-uses" });
    for (const use of data.uses) uses.append(el("span", {}, el("i", { style: `background:${use.color}` }), use.label));
    return this.keep("left", el("aside", { class: "sp-left" },
      el("h2", {}, t("table.figures")), figures, this.keep("people", el("p", { class: "sp-people" })), this.keep("next", el("p", { class: "sp-note sp-next" })),
      el("h2", {}, t("table.layers")), layers,
      ...(data.uses.length ? [el("h2", {}, t("table.uses")), uses, el("p", { class: "sp-note" }, t("table.assumed_note"))] : [])));
  }

  buildTools() {
    const { t, act } = this;
    const scales = DENOMINATORS.map((n) => el("button", { type: "button", class: "sp-button sp-scale", "data-act": `scale-${n}`, onclick: () => act.scale(n) }, `1:${n}`));
    return this.keep("tools", el("nav", { class: "sp-tools", "aria-label": t("table.tools") },
      el("span", { class: "sp-group" }, this.keep("legend", this.button("table.layers", act.legend, { "aria-pressed": "false" })), this.button("table.whole", act.whole), this.button("table.north", act.north), this.button("table.oblique", act.oblique)),
      el("span", { class: "sp-group" }, ...scales),
      el("span", { class: "sp-group" },
        el("button", { type: "button", class: "sp-button", "data-act": "grid-back", "aria-label": t("table.grid_back"), title: t("table.grid_back"), onclick: () => act.stepGrid(-1) }, "‹"),
        this.keep("gridName", el("span", { class: "sp-gridname" }, t("table.by_grid"))),
        el("button", { type: "button", class: "sp-button", "data-act": "grid-next", "aria-label": t("table.grid_next"), title: t("table.grid_next"), onclick: () => act.stepGrid(1) }, "›")),
      el("span", { class: "sp-group" },
        this.keep("ortho", this.button("table.orthographic", act.orthographic, { "aria-pressed": "false" })),
        this.keep("tour", this.button("table.tour", act.tour, { "aria-pressed": "false" })),
        this.keep("inside", el("button", { type: "button", class: "sp-button sp-inside", "data-act": "inside", hidden: true, title: t("table.inside_help"), onclick: act.inside }, t("table.inside"))),
        this.keep("wayIn", el("button", { type: "button", class: "sp-button", "data-act": "way-in", hidden: true, "aria-pressed": "false", title: t("table.way_in_help"), onclick: act.wayIn }, t("table.way_in"))),
        el("button", { type: "button", class: "sp-button", "data-act": "replay", title: t("replay.replay_help"), onclick: act.replay }, t("replay.replay")),
        this.button("table.calibrate", act.calibrate))));
  }

  buildCorner() {
    const { t, act } = this;
    return this.keep("corner", el("div", { class: "sp-corner" },
      el("div", { class: "sp-corner-row" },
        el("button", { type: "button", class: "sp-north", onclick: act.north, "aria-label": t("table.north"), title: t("table.north") },
          this.keep("needle", el("svg", { viewBox: "0 0 40 40" },
            el("path", { d: "M20 3 27 21H13Z", fill: "#e8f1fb" }), el("path", { d: "M20 37 27 21H13Z", fill: "#3c5470" }))),
          el("span", {}, t("table.north_letter"))),
        el("div", { class: "sp-bar" }, this.keep("barText", el("span", {})), this.keep("bar", el("i", {})), this.keep("barNote", el("small", {})))),
      this.keep("overview", el("canvas", { class: "sp-overview", role: "img", "aria-label": t("table.overview"), title: t("table.overview") }))));
  }

  buildHover() {
    return this.keep("hover", el("div", { class: "sp-hover", hidden: true }));
  }

  showHover(info, lines) {
    const { hover } = this.parts;
    if (!lines) {
      hover.hidden = true;
      return;
    }
    hover.replaceChildren(...lines.filter(Boolean).map((line, i) => el(i ? "span" : "b", {}, line)));
    hover.hidden = false;
    const edge = document.querySelector(".st-key-rail")?.getBoundingClientRect();
    const [right, bottom] = [edge?.left > info.x ? edge.left : window.innerWidth, window.innerHeight];
    const beside = (at, size, end) => Math.round(at + 14 + size > end - 4 ? at - 14 - size : at + 14); // on the side that has room
    hover.style.transform = `translate(${Math.max(4, beside(info.x, hover.offsetWidth, right))}px, ${Math.max(4, beside(info.y, hover.offsetHeight, bottom))}px)`;
  }

  showFigures(scene, format) {
    const { units, rentals, buildings } = scene.figures;
    const unknown = units ? [] : ["units", "residents", "floating_residents", ...(rentals ? [] : ["rentals", "suspected_group_rentals"])]; // nobody counted them: that is not none
    for (const [name] of FIGURES) {
      const node = this.parts[`figure.${name}`];
      if (node) node.textContent = format.number(unknown.includes(name) ? null : scene.figures[name]);
    }
    this.parts.next.textContent = units ? "" : this.t(buildings ? "table.no_units" : "table.no_buildings");
    for (const [name, count] of Object.entries(scene.counts)) {
      const node = this.parts[`count.${name}`];
      if (node) node.textContent = format.number(count);
    }
    const workers = scene.figures.grid_workers_full_time + scene.figures.grid_workers_part_time;
    this.parts.people.textContent = workers
      ? this.t("table.workers").replace("{full}", scene.figures.grid_workers_full_time).replace("{part}", scene.figures.grid_workers_part_time)
        .replace("{area}", scene.figures.area_km2?.toFixed(2) ?? "–").replace("{roads}", scene.figures.roads_km.toFixed(1))
      : this.t("table.no_workers").replace("{area}", scene.figures.area_km2?.toFixed(2) ?? "–").replace("{roads}", scene.figures.roads_km.toFixed(1));
    this.parts.asOf.textContent = this.t("table.as_of").replace("{when}", format.time(scene.figures.data_as_of || scene.changed));
  }

  showStamp(text, truth, title) {
    const { stamp } = this.parts;
    if (stamp.textContent !== text) stamp.textContent = text;
    stamp.dataset.truth = truth;
    stamp.title = title;
  }

  showOnline(on) {
    this.parts.online.textContent = this.t(on ? "table.online" : "table.offline");
    this.parts.online.dataset.on = on ? "yes" : "no";
  }

  showBar({ px, metres }, bearing, note) {
    this.parts.bar.style.width = `${px}px`;
    this.parts.barText.textContent = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
    this.parts.barNote.textContent = note;
    this.parts.needle.style.transform = `rotate(${-bearing}deg)`;
  }

  /** The dialogue: diagonal and resolution, or the length of a drawn bar. Calls `done(pitchMm)`. */
  openCalibration(state, done) {
    const { t } = this;
    const shut = () => dialog.remove();
    const inches = el("input", { type: "number", min: 3, max: 600, step: "any", value: state.inches || "" , "data-cal": "inches" });
    const wide = el("input", { type: "number", min: 200, max: 40000, value: state.widthPx, "data-cal": "width" });
    const high = el("input", { type: "number", min: 200, max: 40000, value: state.heightPx, "data-cal": "height" });
    const length = el("input", { type: "number", min: 1, max: 20000, step: "any", "data-cal": "length" });
    const problem = el("p", { class: "sp-problem", role: "alert" });
    const save = (pitch) => {
      if (!state.isPlausible(pitch)) {
        problem.textContent = t("table.cal_bad");
        return;
      }
      done(pitch);
      shut();
    };
    const dialog = el("div", { class: "sp-veil", onclick: (event) => event.target === dialog && shut() },
      el("form", { class: "sp-dialog", role: "dialog", "aria-modal": "true", "aria-label": t("table.cal_title"), onsubmit: (event) => event.preventDefault() },
        el("h2", {}, t("table.cal_title")), el("p", {}, t("table.cal_why")),
        el("fieldset", {}, el("legend", {}, t("table.cal_by_bar")),
          el("div", { class: "sp-calbar", style: `width:${state.barPx}px` }),
          el("label", {}, t("table.cal_length"), length),
          el("button", { type: "button", class: "sp-button", "data-cal": "save-bar", onclick: () => save(state.fromBar(Number(length.value))) }, t("table.cal_save"))),
        el("fieldset", {}, el("legend", {}, t("table.cal_by_size")),
          el("label", {}, t("table.cal_inches"), inches), el("label", {}, t("table.cal_width"), wide), el("label", {}, t("table.cal_height"), high),
          el("button", { type: "button", class: "sp-button", "data-cal": "save-size",
            onclick: () => save(state.fromDiagonal(Number(inches.value), Number(wide.value), Number(high.value))) }, t("table.cal_save"))),
        problem, el("p", { class: "sp-note" }, state.now),
        el("button", { type: "button", class: "sp-button", "data-cal": "close", onclick: shut }, t("table.close"))));
    this.root.append(dialog);
    length.focus();
  }
}
