// Alarms on the table: beacon, ring and label on a sheet of their own, so that a pulse redraws no building; what is lit in
// the house itself (storey and home) are the renderer's solids. Saturated red stands here and nowhere else.
import { toLngLat } from "./scale.js";

const BEACON_M = { loud: 90, calm: 42 };
const BEACON_HALF_M = 0.45;
const RING_M = 26;
const CORNERS = 28;
const BEAT_MS = 1600;
// A picture costs a big screen without a graphics card a quarter of a second: the pulse takes at most a third of the time.
const REST = 2;
const REST_MS = [34, 500];
const SIZES = [[3, 1.2], [12, 0.95], [Infinity, 0.8]]; // so many labels so large, in rem: the first is read from afar
const MOST_LABELS = 40; // further ones are a number or a dot: words on words say nothing
const LEAST_PX = 10; // of letters
const RED = [226, 30, 40];
const MUTED = [168, 104, 108];
const PLATE = { loud: "#c41e2a", calm: "rgba(44,22,30,0.94)" };
const EDGE = { loud: "#ff8d8d", calm: "#b87f84" };
const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';
const CIRCLE = Array.from({ length: CORNERS }, (_, i) => [Math.cos((2 * Math.PI * i) / CORNERS), Math.sin((2 * Math.PI * i) / CORNERS)]);

const kindOf = (alarm) => (alarm.l === 0 ? "loud" : "calm");

export class Beacons {
  /** `say(alarm)` gives {text, key, over}: the words of a label, its number-pad key, whether its target is over. */
  constructor(canvas, frame, say) {
    Object.assign(this, { canvas, frame, say, context: canvas.getContext("2d"), alarms: [], placed: [], boxes: [], chosen: null, timer: 0 });
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** Alarms to draw, the most pressing first. */
  set(alarms) {
    this.alarms = alarms.filter((alarm) => alarm.x && alarm.l < 2).map((alarm) => ({ ...alarm, at0: toLngLat(this.frame, alarm.x) }));
  }

  /** The renderer's layers: columns, and in the house its storey and the home. */
  layers(common) {
    const columns = this.alarms.map((alarm) => {
      const [x, y] = alarm.x;
      const r = BEACON_HALF_M * (alarm.l ? 0.6 : 1);
      return { p: [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]], h: BEACON_M[kindOf(alarm)], c: alarm.l ? [...MUTED, 200] : RED };
    });
    const homes = this.alarms.flatMap((alarm) => (alarm.home || []).map((ring) => ({ p: [raise(ring, alarm.storey[0] + 0.1)], h: alarm.storey[1] - 0.2, c: alarm.l ? MUTED : RED })));
    const once = new Map(this.alarms.filter((alarm) => alarm.rings).reverse().map((alarm) => [`${alarm.rings[0]?.[0]} ${alarm.storey}`, alarm]));
    const bodies = [...once.values()]; // two alarms on one storey light it once, the more pressing one says how
    const storeys = bodies.filter((alarm) => alarm.storey).flatMap((alarm) => alarm.rings.map((ring) => ({ p: [raise(ring, alarm.storey[0] + 0.5)], h: alarm.storey[1] - 1.0, c: alarm.l ? [190, 160, 164, 120] : [255, 176, 170, 150] })));
    const lines = [
      ...this.alarms.flatMap((alarm) => (alarm.home || []).flatMap((ring) => [alarm.storey[0] + 0.1, alarm.storey[0] + alarm.storey[1] - 0.1].map((z) => ({ l: raise(ring, z), c: alarm.l ? MUTED : RED })))),
      ...bodies.flatMap((alarm) => alarm.rings.map((ring) => ({ l: raise(ring, alarm.top + 0.3), c: alarm.l ? MUTED : RED }))),
    ];
    const glow = { ...common, extruded: true, material: false, getPolygon: "@@=p", getElevation: "@@=h", getFillColor: "@@=c" };
    return [
      { "@@type": "SolidLayer", id: "alarm-storeys", ...glow, data: storeys, parameters: { depthWriteEnabled: false } },
      { "@@type": "SolidLayer", id: "alarm-homes", ...glow, data: homes },
      { "@@type": "SolidLayer", id: "alarm-beacons", ...glow, data: columns },
      // Seen through what stands before it: a home at the back is found from every side.
      { "@@type": "PathLayer", id: "alarm-lines", ...common, data: lines, getPath: "@@=l", getColor: "@@=c", getWidth: 2.5, widthUnits: "pixels", jointRounded: true, parameters: { depthCompare: "always", depthWriteEnabled: false } },
    ];
  }

  /** Where everything is on the screen, after the camera moved or the words changed; `insets` is what the rails cover. */
  place(viewport, rem, insets) {
    Object.assign(this, { viewport, rem, insets, boxes: [] });
    const project = ([x, y], z) => viewport.project([...toLngLat(this.frame, [x, y]), z]);
    this.placed = this.alarms.map((alarm) => {
      const foot = viewport.project([...alarm.at0, 0.3]);
      const top = viewport.project([...alarm.at0, BEACON_M[kindOf(alarm)]]);
      const radius = alarm.l ? RING_M * 0.4 : RING_M;
      const ring = CIRCLE.map(([u, v]) => project([alarm.x[0] + u * radius, alarm.x[1] + v * radius], 0.3).map((value, i) => value - foot[i]));
      const shown = foot[2] < 1 && top[2] < 1 && [foot, top].some(([x, y]) => x > -80 && y > -80 && x < viewport.width + 80 && y < viewport.height + 80);
      return { alarm, foot, top, ring, shown };
    }).filter((one) => one.shown);
    const order = [...this.placed].sort((a, b) => (b.alarm.id === this.chosen) - (a.alarm.id === this.chosen) || a.alarm.l - b.alarm.l);
    order.forEach((one, rank) => this.placeLabel(one, rank < MOST_LABELS, one.alarm.id === this.chosen ? 1.4 : one.alarm.l ? 0.8 : (SIZES.find(([most]) => rank < most) ?? SIZES.at(-1))[1]));
    this.animate();
    this.draw(performance.now());
  }

  /** The clocks went on: the words anew, where they are. */
  tell() {
    if (this.viewport) this.place(this.viewport, this.rem, this.insets);
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
    const wide = inWords ? this.measure(font, said.text.replace(/\d/g, "0")) + (said.key ? size * 1.5 : 0) + (said.over ? size * 1.15 : 0) + size : size * 1.5;
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

  covers(box) {
    return this.boxes.some((b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top);
  }

  measure(font, text) {
    this.context.font = font;
    return this.context.measureText(text).width;
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
    this.timer = requestAnimationFrame((at) => {
      if (!this.timer) return;
      this.draw(at);
      const begun = performance.now();
      requestAnimationFrame(() => {
        const rest = Math.max(REST_MS[0], Math.min(REST_MS[1], (performance.now() - begun) * REST));
        setTimeout(() => this.timer && this.beat(), rest);
      });
    });
  }

  stop() {
    this.timer = 0;
  }

  draw(at) {
    const { canvas, context, viewport } = this;
    if (!viewport) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(viewport.width * ratio), Math.round(viewport.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    for (const one of [...this.placed].reverse()) this.drawGlow(one, this.calm.matches ? 0.55 : (at % BEAT_MS) / BEAT_MS);
    this.under?.(context, viewport, this.rem, FONT, (box) => this.covers(box));
    context.textBaseline = "middle";
    for (const one of [...this.placed].reverse()) if (one.label) this.drawLabel(one);
  }

  drawGlow({ alarm, foot, top, ring }, beat) {
    const { context } = this;
    const thick = Math.max(1.5, this.rem / 7);
    if (alarm.l) {
      this.trace(foot, ring, 1, `rgba(${MUTED},0.85)`, thick * 0.8);
      return;
    }
    context.strokeStyle = "rgba(255,40,52,0.5)"; // the column through whatever stands before it
    context.lineWidth = thick * 1.3;
    context.beginPath();
    context.moveTo(foot[0], foot[1]);
    context.lineTo(top[0], top[1]);
    context.stroke();
    for (const shift of [0, 0.5]) {
      const grown = (beat + shift) % 1;
      this.trace(foot, ring, 0.12 + 0.88 * grown, `rgba(255,36,48,${(0.95 * (1 - grown)).toFixed(3)})`, thick * (1.5 - 0.7 * grown));
    }
    this.trace(foot, ring, 0.14, "rgba(255,36,48,0.95)", thick);
  }

  trace(foot, ring, share, ink, thick) {
    const { context } = this;
    context.beginPath();
    for (const [dx, dy] of ring) context.lineTo(foot[0] + dx * share, foot[1] + dy * share);
    context.closePath();
    context.strokeStyle = ink;
    context.lineWidth = thick;
    context.stroke();
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

function raise(ring, z) {
  return ring.map(([x, y]) => [x, y, z]);
}
