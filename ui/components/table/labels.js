// Words and marks on a canvas over the table: never sunk into a building, never on top of one another.
import { findSight, Hiding } from "./hiding.js";
import { toLngLat } from "./scale.js";
import { openSheet } from "./sheet.js";

// Lower rank is placed first and wins the space. `far` is the least number of CSS pixels for a metre at which it is worth showing.
const CLASSES = {
  alarm: { rank: 0, size: 1.05, far: 0, weight: 700 },
  hot: { rank: 1, size: 0.95, far: 0, weight: 700 },
  grid: { rank: 2, size: 1.15, far: 0, weight: 700 },
  due: { rank: 2.5, size: 0.78, far: 0.5, weight: 700 },
  group: { rank: 3, size: 0.72, far: 0.9, weight: 700 },
  rental: { rank: 3.5, size: 0.66, far: 1.1, weight: 700, below: 25 },
  site: { rank: 4, size: 0.8, far: 0.75, weight: 600 },
  responder: { rank: 4.5, size: 0.7, far: 0.8, weight: 500 },
  zone: { rank: 5, size: 1.5, far: 0, weight: 600, until: 3.2 },
  road: { rank: 6, size: 0.78, far: 0.9, weight: 400 },
  water: { rank: 7, size: 0.82, far: 0.7, weight: 400 },
  green: { rank: 8, size: 0.74, far: 1.3, weight: 400 },
  building: { rank: 9, size: 0.74, far: 1.25, weight: 500 },
  gate: { rank: 10, size: 0.7, far: 2.4, weight: 400 },
};
const INK = {
  building: "rgba(206,220,240,0.92)",
  zone: "rgba(126,190,236,0.80)",
  grid: "#bfe3ff",
  road: "rgba(170,190,214,0.85)",
  water: "rgba(140,200,240,0.90)",
  green: "rgba(150,204,184,0.85)",
  gate: "rgba(176,214,226,0.92)",
  site: "#dffbff",
  due: "#ffe0a6",
};
// Where else a mark may stand when its own place is taken, in its own sizes: what a wall is asked for by name or number is never
// left out because two of them are near one another.
const HERE = [[0, 0]];
const NUDGES = {
  hot: [...HERE, [0, -2], [2, 0], [-2, 0], [0, 2], [2, -1.2], [-2, -1.2]],
  grid: [...HERE, [0, 1.5], [0, -1.5], [1.8, 0], [-1.8, 0], [1.8, 1.5], [-1.8, 1.5], [0, 3], [0, -3]],
  zone: [...HERE, [0, 1.1], [0, -1.1], [1.4, 0], [-1.4, 0], [1.4, 1.1], [-1.4, 1.1], [1.4, -1.1], [-1.4, -1.1], [0, 2.2], [0, -2.2], [2.6, 0], [-2.6, 0]],
};
const REACH_M = { hot: 110, grid: 90, zone: 150 }; // farther off it would say something of its neighbour
const CHOSEN_NUDGES = [...HERE, [0, 1.7], [0, -1.7], [0, 3.2], [0, -3.2]];
const SHRINKS = { grid: [0.72, 1.1], hot: [0.78, 0.9] }; // so small at the least, full size from so many pixels for a metre on
const COMPACT = 0.62; // below so many pixels for a metre a grid says its number only
const LONGEST = 16; // letters of a name; Latin ones are half as wide
const REORDERING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // of the order of letters: a name shows what it is
const COVERED = new Set(["road", "gate", "water", "green", "building"]); // names that say nothing of the house before them
const LEAST_TILT_DEG = 12; // from above nothing stands before anything
const REFERENCE_REM = 16; // on a wall four times as large words are, too: the same ones are shown
const HALO = "rgba(6,11,22,0.88)";
const HALO_PX = 3; // at the reference size
const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';

/** The name as it is written on the table: one that would lie across the houses beside it is cut. */
function toShort(name) {
  let room = LONGEST;
  let kept = "";
  for (const letter of String(name ?? "").replace(REORDERING, "")) {
    room -= letter.codePointAt(0) < 0x2e80 ? 0.55 : 1;
    if (room < 0) return `${kept.trimEnd()}…`;
    kept += letter;
  }
  return kept;
}

function meets(box, b) {
  return box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top;
}

export class Labels {
  constructor(canvas, frame) {
    this.canvas = canvas;
    this.context = openSheet(canvas);
    this.frame = frame;
    this.records = [];
    this.boxes = [];
    this.hidden = new Set();
    this.selected = null;
    this.without = null; // a building whose own words are left out
    this.widths = new Map();
    this.hiding = new Hiding();
    this.hides = true; // whether the houses are drawn
  }

  /** New records: {t, s, c, x:[m,m,m], y, id, g, kind}. */
  setRecords(records) {
    this.records = records
      .filter((record) => CLASSES[record.c])
      .map((record) => ({ ...record, t: toShort(record.t), n: record.n && toShort(record.n), at: toLngLat(this.frame, record.x), to: record.y && toLngLat(this.frame, record.y) }))
      .sort((a, b) => CLASSES[a.c].rank - CLASSES[b.c].rank || (b.r || 0) - (a.r || 0));
  }

  /** What is shown at a pixel and can be picked, else null. */
  hit(x, y) {
    const box = this.boxes.find((b) => b.id && x >= b.left && x <= b.right && y >= b.top && y <= b.bottom);
    return box ? { kind: box.kind, id: box.id } : null;
  }

  /** `taken` are boxes of more important things, over which no word is written. */
  draw(viewport, rem, taken = []) {
    const { canvas, context } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [viewport.width, viewport.height];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.lineJoin = "round";
    this.boxes = [...taken];
    this.halo = HALO_PX * Math.max(1, rem / REFERENCE_REM);
    const unit = viewport.distanceScales.unitsPerMeter[0] * viewport.scale;
    for (const record of this.inOrder()) {
      const look = CLASSES[record.c];
      if (this.hidden.has(record.c) || (this.without && record.id === this.without) || viewport.pitch > (look.below ?? 90)) continue;
      const chosen = this.selected && record.id === this.selected.id;
      const [x, y, depth] = viewport.project([record.at[0], record.at[1], record.x[2] || 0]);
      if (depth > 1 || x < -40 || y < -40 || x > width + 40 || y > height + 40) continue;
      const near = this.nearness(viewport, record) * unit * (REFERENCE_REM / rem);
      if (!chosen && (near < look.far || (look.until && near > look.until))) continue;
      if (this.isBehind(record, viewport, chosen)) continue;
      this.place(record, look, x, y, viewport, rem, chosen, near);
    }
  }

  /** A house stands before what this names. */
  isBehind(record, viewport, chosen) {
    if (chosen) return false;
    if (!this.hides || !COVERED.has(record.c) || viewport.orthographic || viewport.pitch < LEAST_TILT_DEG) return false;
    const [x, y, z = 0] = record.y ? record.x.map((value, i) => (value + (record.y[i] ?? value)) / 2) : record.x;
    return this.hiding.isHidden([x, y, z], findSight(viewport, [...toLngLat(this.frame, [x, y]), z]));
  }

  /** What is selected has its place before all others, which step aside. */
  inOrder() {
    const id = this.selected?.id;
    return id ? [...this.records.filter((record) => record.id === id), ...this.records.filter((record) => record.id !== id)] : this.records;
  }

  /** How large things are drawn here against the middle of the screen: 1 there, less behind it, more before it. */
  nearness(viewport, record) {
    if (viewport.orthographic) return 1;
    const place = viewport.projectPosition([record.at[0], record.at[1], record.x[2] || 0]);
    const away = (point) => Math.hypot(...point.map((value, i) => value - viewport.cameraPosition[i]));
    return away(viewport.center) / Math.max(away(place), 1e-9);
  }

  place(record, look, x, y, viewport, rem, chosen, near) {
    const size = look.size * rem * this.shrink(record, near);
    const font = `${look.weight} ${size.toFixed(1)}px ${FONT}`;
    const width = this.measure(font, record.t);
    if (record.c === "road") return this.placeRoad(record, font, width, size, x, y, viewport);
    const draw = { grid: this.grid, group: this.diamond, rental: this.lit, site: this.pin, hot: this.rank, responder: this.badge, gate: this.plain }[record.c] || this.plain;
    const box = (shift, dry) => draw.call(this, record, font, width, size, x + shift[0] * size, y + shift[1] * size, rem, dry, chosen, near);
    if (!chosen && this.isUnderFrame(box(HERE[0], true))) return undefined; // nor does it come out beside the frame
    const nudges = NUDGES[record.c] ?? (chosen ? CHOSEN_NUDGES : HERE);
    const pixelM = near * (rem / REFERENCE_REM); // pixels of a metre here
    const isNear = ([dx, dy]) => !REACH_M[record.c] || (Math.hypot(dx, dy) * size) / pixelM <= REACH_M[record.c];
    const free = nudges.find((shift) => isNear(shift) && !this.covers(box(shift, true))) ?? (chosen ? HERE[0] : null);
    if (free) this.boxes.push({ ...box(free, false), id: record.id, kind: KIND_OF[record.c] });
    return undefined;
  }

  shrink(record, near) {
    if (record.c === "zone") return Math.max(0.75, Math.min(1.25, near / 1.2));
    const [least, full] = SHRINKS[record.c] ?? [1, 0];
    return full ? Math.max(least, Math.min(1, near / full)) : 1;
  }

  covers(box) {
    return this.boxes.some((b) => meets(box, b));
  }

  isUnderFrame(box) {
    return this.boxes.some((b) => b.frame && meets(box, b));
  }

  measure(font, text) {
    const key = `${font}|${text}`;
    if (!this.widths.has(key)) {
      if (this.widths.size > 6000) this.widths.clear();
      this.context.font = font;
      this.widths.set(key, this.context.measureText(text).width);
    }
    return this.widths.get(key);
  }

  text(text, font, x, y, ink, halo = this.halo) {
    const { context } = this;
    context.font = font;
    context.strokeStyle = HALO;
    context.lineWidth = halo;
    context.strokeText(text, x, y);
    context.fillStyle = ink;
    context.fillText(text, x, y);
  }

  plain(record, font, width, size, x, y, rem, dry, chosen) {
    const pad = size * 0.18;
    if (!dry) this.text(record.t, font, x, y, chosen ? "#ffffff" : INK[record.c] || "#dce6f2", chosen ? this.halo * 1.6 : this.halo);
    return { left: x - width / 2 - pad, right: x + width / 2 + pad, top: y - size * 0.62, bottom: y + size * 0.62 };
  }

  placeRoad(record, font, width, size, x, y, viewport) {
    const [x2, y2] = viewport.project([record.to[0], record.to[1], 0.3]);
    let angle = Math.atan2(y2 - y, x2 - x);
    if (Math.abs(angle) > Math.PI / 2) angle += Math.PI;
    const [cx, cy] = [(x + x2) / 2, (y + y2) / 2];
    const half = [Math.abs(Math.cos(angle)) * width * 0.5 + size * 0.5, Math.abs(Math.sin(angle)) * width * 0.5 + size * 0.5];
    const box = { left: cx - half[0], right: cx + half[0], top: cy - half[1], bottom: cy + half[1] };
    if (this.covers(box)) return;
    const { context } = this;
    context.save();
    context.translate(cx, cy);
    context.rotate(angle);
    this.text(record.t, font, 0, 0, INK.road);
    context.restore();
    this.boxes.push(box);
  }

  /** Number of a grid in a plate, with the call sign of its worker below. */
  grid(record, font, width, size, x, y, rem, dry, chosen, near) {
    const { context } = this;
    const small = `500 ${(rem * 0.72).toFixed(1)}px ${FONT}`;
    const worker = near < COMPACT && !chosen ? "" : record.s;
    const below = worker ? this.measure(small, worker) : 0;
    const half = [Math.max(width * 0.5 + size * 0.4, below * 0.5 + size * 0.3), size * 0.72];
    const bottom = y + half[1] + (worker ? rem * 0.85 : 0);
    if (!dry) {
      context.beginPath();
      context.roundRect(x - half[0], y - half[1], half[0] * 2, bottom - y + half[1], size * 0.22);
      context.fillStyle = "rgba(10,22,40,0.80)";
      context.fill();
      context.strokeStyle = "rgba(120,190,236,0.85)";
      context.lineWidth = Math.max(1, rem / 14);
      context.stroke();
      context.font = font;
      context.fillStyle = INK.grid;
      context.fillText(record.t, x, y);
      if (worker) {
        context.font = small;
        context.fillStyle = "rgba(176,206,232,0.95)";
        context.fillText(worker, x, y + half[1] + rem * 0.22);
      }
    }
    return { left: x - half[0] - 3, right: x + half[0] + 3, top: y - half[1] - 3, bottom: bottom + 3 };
  }

  /** Suspected group rentals of a building: a diamond with their number. */
  diamond(record, font, width, size, x, y, rem, dry, chosen) {
    const { context } = this;
    const r = size * 0.95;
    if (!dry) {
      context.beginPath();
      context.moveTo(x, y - r);
      context.lineTo(x + r, y);
      context.lineTo(x, y + r);
      context.lineTo(x - r, y);
      context.closePath();
      context.fillStyle = chosen ? "rgba(238,92,220,1)" : "rgba(72,18,66,0.92)";
      context.fill();
      context.strokeStyle = "#ee5cdc";
      context.lineWidth = Math.max(1.5, rem / 9);
      context.stroke();
      context.font = font;
      context.fillStyle = "#ffe3fb";
      context.fillText(record.t, x, y + size * 0.04);
    }
    return { left: x - r, right: x + r, top: y - r, bottom: y + r };
  }

  /** Rentals of a building seen from above: a lit window with their number, beside the middle of the roof. */
  lit(record, font, width, size, x, y, rem, dry, chosen) {
    const { context } = this;
    const half = [Math.max(size * 0.95, width * 0.5 + size * 0.3), size * 0.62];
    const cx = x - rem * 1.9;
    if (!dry) {
      context.beginPath();
      context.rect(cx - half[0], y - half[1], half[0] * 2, half[1] * 2);
      context.fillStyle = chosen ? "#fff0d2" : "#ffbe54";
      context.fill();
      context.font = font;
      context.fillStyle = "#241703";
      context.fillText(record.t, cx, y + size * 0.05);
    }
    return { left: cx - half[0] - 1, right: cx + half[0] + 1, top: y - half[1] - 1, bottom: y + half[1] + 1 };
  }

  /** A key site: a square pin with the character of its kind, and its name when near. */
  pin(record, font, width, size, x, y, rem, dry, chosen, near) {
    const { context } = this;
    const r = size * 0.78;
    const name = `500 ${(rem * 0.78).toFixed(1)}px ${FONT}`;
    const shown = chosen || near > 1.9;
    const long = shown ? this.measure(name, record.n) : 0;
    if (!dry) {
      context.beginPath();
      context.roundRect(x - r, y - r, r * 2, r * 2, r * 0.35);
      context.fillStyle = chosen ? "#46d6e8" : "rgba(8,52,64,0.94)";
      context.fill();
      context.strokeStyle = "#46d6e8";
      context.lineWidth = Math.max(1.2, rem / 11);
      context.stroke();
      context.font = font;
      context.fillStyle = chosen ? "#06222a" : INK.site;
      context.fillText(record.g, x, y + size * 0.05);
      if (shown) this.text(record.n, name, x + r + long / 2 + rem * 0.3, y, INK.site);
    }
    return { left: x - r - 1, right: x + r + 1 + (shown ? long + rem * 0.4 : 0), top: y - r - 1, bottom: y + r + 1 };
  }

  /** Somebody with a radio: a round dot and the call sign. */
  badge(record, font, width, size, x, y, rem, dry) {
    const { context } = this;
    const r = size * 0.42;
    if (!dry) {
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.fillStyle = "#96e8aa";
      context.fill();
      context.strokeStyle = HALO;
      context.lineWidth = this.halo * 0.7;
      context.stroke();
      this.text(record.t, font, x + r + width / 2 + rem * 0.2, y, "#c9f5d4");
    }
    return { left: x - r - 2, right: x + r + width + rem * 0.3, top: y - size * 0.6, bottom: y + size * 0.6 };
  }

  /** A hot place: its rank in a hexagon, as in the list beside the table. */
  rank(record, font, width, size, x, y, rem, dry, chosen) {
    const { context } = this;
    const r = size * 0.95;
    if (!dry) {
      context.beginPath();
      for (let i = 0; i < 6; i += 1) context.lineTo(x + r * Math.cos((i * Math.PI) / 3), y + r * Math.sin((i * Math.PI) / 3));
      context.closePath();
      context.fillStyle = chosen ? "#ffb35c" : "rgba(64,38,8,0.94)";
      context.fill();
      context.strokeStyle = "#ff9e42";
      context.lineWidth = Math.max(1.5, rem / 9);
      context.stroke();
      context.font = font;
      context.fillStyle = chosen ? "#241200" : "#ffe2c0";
      context.fillText(record.t, x, y + size * 0.05);
    }
    return { left: x - r, right: x + r, top: y - r, bottom: y + r };
  }
}

const KIND_OF = { building: "building", group: "building", rental: "building", grid: "grid", site: "site", hot: "hot", due: "building" };
