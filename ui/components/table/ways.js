// Ways of those who were sent: a line on the ground to the door, and at its beginning who, and in how many minutes.
// Beside them, when somebody asks, the way from the nearest gate to what is selected: whose it is, nobody says.
import { buildProjection } from "./scale.js";

const INK = { in: "rgb(124,196,238)", sent: "rgba(150,232,170,0.5)", accepted: "rgba(150,232,170,0.92)", on_the_way: "rgb(150,232,170)" };
const NEAR = 0.05; // of w, which is about 1.5 in the middle of the screen: nearer points are behind the camera
const AGAIN_MS = 5000; // radios report all the time; a way is reckoned anew no more often
const TABLES = ["dispatches", "responders", "incidents", "gates", "walls", "roads"];

export class Ways {
  /** `onChange` draws anew. */
  constructor(frame, onChange) {
    Object.assign(this, { frame, onChange, ways: [], own: null, boxes: [], asked: 0, timer: 0 });
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

  /** The way from a gate to a place; `null` takes it away. `label` makes the words of its plate. Says whether there is one. */
  async showTo(place, label) {
    this.place = place;
    this.own = null;
    this.onChange();
    if (!place) return true;
    const asked = new URLSearchParams({ kind: place.kind, id: place.id });
    const answer = await fetch(`/way-in.json?${asked}`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    const way = answer?.ok ? (await answer.json()).way : null;
    if (this.place !== place) return true; // something else is selected now
    this.own = way && { ...way, state: "in", text: label(way) };
    this.onChange();
    return Boolean(way);
  }

  /** A line on the ground, light on a dark edge, without what is behind the camera. */
  drawLine(context, project, way, rem) {
    const points = way.l.map(([x, y]) => project(x, y, 0.6));
    context.beginPath();
    points.forEach((point, i) => {
      const [from, to] = [points[i - 1], point];
      if (!from || (from[2] <= NEAR && to[2] <= NEAR)) return;
      const [one, other] = [cut(from, to), cut(to, from)];
      if (i === 1 || from[2] <= NEAR) context.moveTo(one[0] / one[2], one[1] / one[2]);
      context.lineTo(other[0] / other[2], other[1] / other[2]);
    });
    Object.assign(context, { lineJoin: "round", lineCap: "round", strokeStyle: "rgba(6,20,14,0.78)", lineWidth: Math.max(7, rem / 2.4) });
    context.stroke();
    Object.assign(context, { strokeStyle: INK[way.state], lineWidth: Math.max(4, rem / 4.2) });
    context.stroke();
    context.lineCap = "butt";
  }

  /** Lines, and plates at their beginnings; `fill` is the catalogue, `covers(box)` says where a word would hide something. */
  draw(context, viewport, rem, { now, fill, covers, font }) {
    this.boxes = [];
    const shown = this.own ? [...this.ways, this.own] : this.ways;
    if (!shown.length) return;
    const size = rem * 0.9;
    const project = buildProjection(this.frame, viewport);
    for (const way of shown) if (way.l) this.drawLine(context, project, way, rem);
    context.font = `650 ${size.toFixed(1)}px ${font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const way of shown) {
      if (!way.l) continue;
      const ink = INK[way.state === "in" ? "in" : "on_the_way"];
      const [u, v, w] = project(way.l[0][0], way.l[0][1], 1);
      const [x, y] = [u / w, v / w];
      if (w <= NEAR || x < 0 || y < 0 || x > viewport.width || y > viewport.height) continue;
      const minutes = Math.max(1, Math.ceil((way.eta - now) / 60_000));
      const text = way.text ?? `${way.call_sign} · ${fill(`alarms.sent_${way.state}`)} · ${fill("alarms.minutes", { minutes })}`;
      const wide = context.measureText(text).width + size;
      const box = { left: x - wide / 2, right: x + wide / 2, top: y - size * 2.2, bottom: y - size * 0.6 };
      context.beginPath();
      context.arc(x, y, size * 0.32, 0, 2 * Math.PI);
      context.fillStyle = ink;
      context.fill();
      if (covers(box) || this.boxes.some((b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top)) continue;
      this.boxes.push(box);
      context.beginPath();
      context.roundRect(box.left, box.top, wide, box.bottom - box.top, size * 0.25);
      context.fillStyle = way.state === "in" ? "rgba(8,22,38,0.94)" : "rgba(8,30,22,0.94)";
      context.fill();
      context.strokeStyle = ink;
      context.lineWidth = Math.max(1, rem / 12);
      context.stroke();
      context.fillStyle = way.state === "in" ? "#dff0fb" : "#d9f8e1";
      context.fillText(text, box.left + size * 0.5, (box.top + box.bottom) / 2 + size * 0.04);
    }
  }
}

/** `point`, or where the line from it to `other` comes out from behind the camera. */
function cut(point, other) {
  if (point[2] > NEAR) return point;
  const share = (NEAR - point[2]) / (other[2] - point[2]);
  return point.map((value, i) => value + share * (other[i] - value));
}
