// The sheet of the alarms over the table: lights (lit.js) and labels with running clocks. It pulses by itself and redraws no
// building. Saturated red stands here and in the list and nowhere else.
import { drawLight, kindOf, placeLights } from "./lit.js";
import { openSheet } from "./sheet.js";

const BEAT_MS = 1600;
// A picture costs a big screen without a graphics card a quarter of a second: the pulse takes at most a quarter of the time,
// and one that would be no pulse any more stands still until the clocks go on.
const REST = 3;
const REST_MS = 34;
const SLOW_MS = 200;
const SIZES = [[3, 1.2], [12, 0.95], [Infinity, 0.8]]; // so many labels so large, in rem: the first is read from afar
const MOST_LABELS = 40; // further ones are a number or a dot: words on words say nothing
const LEAST_PX = 10; // of letters
const MOST_WIDTHS = 2000;
const FRAME_PATIENCE_MS = 2000;
const PLATE = { loud: "#c41e2a", calm: "rgba(44,22,30,0.94)" };
const EDGE = { loud: "#ff8d8d", calm: "#b87f84" };
const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';

export class Beacons {
  /** `say(alarm)` gives {text, key, over}: the words of a label, its number-pad key, whether its target is over. */
  constructor(canvas, frame, say) {
    Object.assign(this, { canvas, frame, say, context: openSheet(canvas), alarms: [], placed: [], boxes: [], frames: [], chosen: null, timer: 0, costMs: 0, widths: new Map() });
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** Alarms to draw, the most pressing first. */
  set(alarms) {
    this.alarms = alarms.filter((alarm) => alarm.x && alarm.l < 2);
  }

  /** Where everything is on the screen, after the camera moved or other alarms came; `insets` is what the rails cover, `frames` all that
   * lies over the table. */
  place(viewport, rem, insets, frames = this.frames) {
    Object.assign(this, { viewport, rem, insets, frames, boxes: [] });
    this.placed = placeLights(this.alarms, this.frame, viewport);
    const order = [...this.placed].sort((a, b) => (b.alarm.id === this.chosen) - (a.alarm.id === this.chosen) || a.alarm.l - b.alarm.l);
    order.forEach((one, rank) => this.placeLabel(one, rank < MOST_LABELS, one.alarm.id === this.chosen ? 1.4 : one.alarm.l ? 0.8 : (SIZES.find(([most]) => rank < most) ?? SIZES.at(-1))[1]));
    this.draw(performance.now());
    this.animate();
  }

  /** Other alarms where the camera stands, in the next picture; what is asked for twice before it is drawn once. */
  placeSoon() {
    this.placing ??= nextFrame().then(() => {
      this.placing = null;
      if (this.viewport) this.place(this.viewport, this.rem, this.insets);
    });
    return this.placing;
  }

  drawSoon() {
    nextFrame().then(() => this.draw(performance.now()));
  }

  /** The clocks went on: the words anew where they are, unless a label became longer. */
  tell() {
    if (!this.viewport || !this.placed.length) return;
    const isLonger = this.placed.some((one) => {
      if (!one.label) return false;
      const before = one.label.said;
      one.label.said = this.say(one.alarm);
      return before.over !== one.label.said.over || before.key !== one.label.said.key || toWidth(before.text) !== toWidth(one.label.said.text);
    });
    if (isLonger) this.place(this.viewport, this.rem, this.insets);
    else this.draw(performance.now());
  }

  placeLabel(one, inWords, share) {
    const { rem, insets, viewport } = this;
    const said = this.say(one.alarm);
    if (!inWords && !said.key) return; // its column says where it is
    const size = rem * share;
    const [bottom, top] = [viewport.height - insets.bottom, insets.top];
    // The label hangs where its column leaves the free part of the screen.
    const up = one.top[1] < top + size * 1.6 ? Math.min(1, Math.max(0, (top + size * 1.6 - one.foot[1]) / (one.top[1] - one.foot[1] || 1))) : 1;
    const x = one.foot[0] + (one.top[0] - one.foot[0]) * up;
    const y = Math.min(one.foot[1] + (one.top[1] - one.foot[1]) * up, bottom - size);
    if (x < insets.left - 40 || x > viewport.width - insets.right + 40 || one.foot[1] < top) return;
    const font = `700 ${size.toFixed(1)}px ${FONT}`;
    const wide = inWords ? this.measure(font, toWidth(said.text)) + (said.key ? size * 1.5 : 0) + (said.over ? size * 1.15 : 0) + size : size * 1.5;
    const free = viewport.width - insets.left - insets.right - 4;
    if (inWords && wide > free) { // a phone: smaller, and where it could not be read any more without words
      const less = share * 0.98 * (free / wide);
      this.placeLabel(one, less * rem >= LEAST_PX, less * rem >= LEAST_PX ? less : share);
      return;
    }
    const high = size * 1.62;
    const low = insets.left + wide / 2 + 2;
    const limit = (value) => Math.max(low, Math.min(Math.max(low, viewport.width - insets.right - wide / 2 - 2), value));
    const tries = inWords ? [0, -1, 1, 2, -2, 3, 4, 5, 6].flatMap((n) => [[0, n], [0.62, n], [-0.62, n]]) : [[0, 0]];
    for (const [across, step] of tries) {
      const cx = limit(x + across * wide);
      const cy = y - high * 0.5 - step * high * 1.08;
      const box = { left: cx - wide / 2, right: cx + wide / 2, top: cy - high / 2, bottom: cy + high / 2 };
      if (box.top < top || box.bottom > bottom + high || this.covers(box)) continue;
      one.label = { ...box, cx, cy, font, size, said, inWords, anchor: [x, y] };
      this.boxes.push({ ...box, id: one.alarm.id, kind: "incident" });
      return;
    }
    if (inWords) this.placeLabel(one, false, share);
  }

  /** Where no word of the table is written: over the labels, and over what is lit in a house. */
  get taken() {
    return [...this.boxes, ...this.placed.flatMap((one) => one.homes)];
  }

  covers(box) {
    const meets = (b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top;
    return this.boxes.some(meets) || this.frames.some(meets);
  }

  measure(font, text) {
    const key = `${font}|${text}`;
    if (!this.widths.has(key)) {
      if (this.widths.size > MOST_WIDTHS) this.widths.clear();
      this.context.font = font;
      this.widths.set(key, this.context.measureText(text).width);
    }
    return this.widths.get(key);
  }

  /** The alarm under a pixel, else null. */
  hit(x, y) {
    const box = this.boxes.find((b) => x >= b.left && x <= b.right && y >= b.top && y <= b.bottom);
    if (box) return box.id;
    const near = this.placed.find(({ foot, top }) => Math.abs(x - foot[0]) < 8 && y < foot[1] + 8 && y > top[1]);
    return near?.alarm.id ?? null;
  }

  /** Runs while something has to beat, and only then. */
  animate() {
    const beats = !this.calm.matches && this.placed.some(({ alarm }) => alarm.l === 0);
    if (beats && !this.timer) this.beat();
    if (!beats) this.stop();
  }

  beat() {
    const rest = this.costMs > SLOW_MS ? 1000 : Math.max(REST_MS, this.costMs * REST);
    this.timer = setTimeout(() => {
      if (this.costMs <= SLOW_MS) this.draw(performance.now());
      this.beat();
    }, rest);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  /** How long a picture takes until it is on the screen, evened out over some. */
  gauge(begun) {
    requestAnimationFrame(() => {
      const cost = performance.now() - begun;
      this.costMs = this.costMs ? 0.7 * this.costMs + 0.3 * cost : cost;
    });
  }

  draw(at) {
    const { canvas, context, viewport } = this;
    if (!viewport) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(viewport.width * ratio), Math.round(viewport.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    const [beat, thick] = [this.calm.matches ? 0.55 : (at % BEAT_MS) / BEAT_MS, Math.max(1.5, this.rem / 7)];
    for (const one of [...this.placed].reverse()) drawLight(context, one, beat, thick);
    this.under?.(context, viewport, this.rem, FONT, (box) => this.covers(box));
    context.textBaseline = "middle";
    for (const one of [...this.placed].reverse()) if (one.label) this.drawLabel(one);
    this.gauge(performance.now());
  }

  drawLabel({ alarm, label }) {
    const { context } = this;
    const look = kindOf(alarm);
    const { left, right, top, bottom, cx, cy, size, said, anchor } = label;
    if (bottom < anchor[1] - 2 || Math.abs(cx - anchor[0]) > (right - left) / 2) {
      context.strokeStyle = EDGE[look];
      context.lineWidth = Math.max(1, this.rem / 12);
      context.beginPath();
      context.moveTo(anchor[0], anchor[1]);
      context.lineTo(Math.max(left, Math.min(right, anchor[0])), bottom);
      context.stroke();
    }
    context.beginPath();
    context.roundRect(left, top, right - left, bottom - top, size * 0.3);
    context.fillStyle = PLATE[look];
    context.fill();
    context.strokeStyle = alarm.id === this.chosen ? "#ffffff" : EDGE[look];
    context.lineWidth = Math.max(1, this.rem / (alarm.id === this.chosen ? 5 : 10));
    context.stroke();
    if (!label.inWords) return this.drawKey(said.key, cx, cy, size);
    let x = left + size * 0.5;
    if (said.key) {
      this.drawKey(said.key, x + size * 0.55, cy, size);
      x += size * 1.5;
    }
    if (said.over) {
      this.drawOver(x + size * 0.45, cy, size);
      x += size * 1.15;
    }
    context.font = label.font;
    context.textAlign = "left";
    context.fillStyle = alarm.l ? "#e7d3d5" : "#ffffff";
    context.fillText(said.text, x, cy + size * 0.04);
    return undefined;
  }

  /** The key of the number pad that picks it. */
  drawKey(key, cx, cy, size) {
    if (!key) return;
    const { context } = this;
    context.beginPath();
    context.arc(cx, cy, size * 0.56, 0, 2 * Math.PI);
    context.fillStyle = "#ffffff";
    context.fill();
    context.font = `700 ${(size * 0.86).toFixed(1)}px ${FONT}`;
    context.textAlign = "center";
    context.fillStyle = "#30080c";
    context.fillText(key, cx, cy + size * 0.05);
  }

  /** The sign of a target that is over: a form, not only a colour. */
  drawOver(cx, cy, size) {
    const { context } = this;
    const r = size * 0.5;
    context.beginPath();
    context.moveTo(cx, cy - r);
    context.lineTo(cx + r, cy + r * 0.86);
    context.lineTo(cx - r, cy + r * 0.86);
    context.closePath();
    context.fillStyle = "#ffe08a";
    context.fill();
    context.fillStyle = "#30080c";
    context.fillRect(cx - size * 0.06, cy - r * 0.42, size * 0.12, r * 0.68);
    context.fillRect(cx - size * 0.06, cy + r * 0.42, size * 0.12, size * 0.12);
  }
}

/** The next frame; a hidden page has none, and goes on after a while. */
export function nextFrame() {
  return Promise.race([new Promise(requestAnimationFrame), new Promise((resolve) => setTimeout(resolve, FRAME_PATIENCE_MS))]);
}

/** A label's words with every digit as wide as every other: a running clock moves nothing. */
function toWidth(text) {
  return text.replace(/\d/g, "0");
}
