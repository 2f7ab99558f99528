// Ways of those who were sent: a line on the ground to the door, and at its beginning who, and in how many minutes.
import { toLngLat } from "./scale.js";

const COLOUR = { sent: [150, 232, 170, 130], accepted: [150, 232, 170, 235], on_the_way: [150, 232, 170, 255] };
const AGAIN_MS = 5000; // radios report all the time; a way is reckoned anew no more often
const TABLES = ["dispatches", "responders", "incidents", "gates", "walls", "roads"];

export class Ways {
  /** `onChange` draws anew. */
  constructor(frame, onChange) {
    Object.assign(this, { frame, onChange, ways: [], boxes: [], asked: 0, timer: 0 });
  }

  /** A sending is shown at once, what changes a way a little later, and nothing is asked while nobody is on the way. */
  onVersions(changed) {
    if (changed.includes("dispatches")) this.load();
    else if (this.ways.length && TABLES.some((name) => changed.includes(name))) {
      this.timer ||= setTimeout(() => this.load(), Math.max(0, this.asked + AGAIN_MS - performance.now()));
    }
  }

  async load() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.asked = performance.now();
    const answer = await fetch("/ways.json", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    const before = JSON.stringify(this.ways);
    this.ways = (await answer.json()).ways;
    if (JSON.stringify(this.ways) !== before) this.onChange();
  }

  layers(common) {
    const lines = this.ways.filter((way) => way.l).map((way) => ({ l: way.l.map(([x, y]) => [x, y, 0.6]), c: COLOUR[way.state] }));
    const look = { ...common, data: lines, getPath: "@@=l", widthUnits: "pixels", jointRounded: true, capRounded: true, parameters: { depthCompare: "always", depthWriteEnabled: false } };
    return [
      { "@@type": "PathLayer", id: "way-edges", ...look, getColor: [6, 20, 14, 200], getWidth: 7 },
      { "@@type": "PathLayer", id: "ways", ...look, getColor: "@@=c", getWidth: 4 },
    ];
  }

  /** Plates at the beginnings; `fill` is the catalogue, `covers(box)` says where a word would hide something. */
  draw(context, viewport, rem, { now, fill, covers, font }) {
    const size = rem * 0.9;
    this.boxes = [];
    context.font = `650 ${size.toFixed(1)}px ${font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const way of this.ways) {
      if (!way.l) continue;
      const [x, y, depth] = viewport.project([...toLngLat(this.frame, way.l[0]), 1]);
      if (depth > 1 || x < 0 || y < 0 || x > viewport.width || y > viewport.height) continue;
      const minutes = Math.max(1, Math.ceil((way.eta - now) / 60_000));
      const text = `${way.call_sign} · ${fill(`alarms.sent_${way.state}`)} · ${fill("alarms.minutes", { minutes })}`;
      const wide = context.measureText(text).width + size;
      const box = { left: x - wide / 2, right: x + wide / 2, top: y - size * 2.2, bottom: y - size * 0.6 };
      context.beginPath();
      context.arc(x, y, size * 0.32, 0, 2 * Math.PI);
      context.fillStyle = "#96e8aa";
      context.fill();
      if (covers(box) || this.boxes.some((b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top)) continue;
      this.boxes.push(box);
      context.beginPath();
      context.roundRect(box.left, box.top, wide, box.bottom - box.top, size * 0.25);
      context.fillStyle = "rgba(8,30,22,0.94)";
      context.fill();
      context.strokeStyle = "#96e8aa";
      context.lineWidth = Math.max(1, rem / 12);
      context.stroke();
      context.fillStyle = "#d9f8e1";
      context.fillText(text, box.left + size * 0.5, (box.top + box.bottom) / 2 + size * 0.04);
    }
  }
}
