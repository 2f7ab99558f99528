// The small map: the whole community, and the part of it that the screen shows now.
import { toLngLat, toLocal } from "./scale.js";
import { openSheet } from "./sheet.js";

const EDGE = 0.06;

export class Overview {
  constructor(canvas, frame, onPick) {
    this.canvas = canvas;
    this.frame = frame;
    this.rings = [];
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      onPick(this.toMetres((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
    });
  }

  /** Outlines in local metres: {border: [ring], grids: [ring]}. */
  setOutlines({ border, grids }) {
    this.border = border;
    this.rings = grids;
    const points = border.flat();
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)) * (1 + 2 * EDGE);
    this.edge = points.filter((_, i) => i % 8 === 0).map((point) => toLngLat(this.frame, point));
    this.middle = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2];
    this.span = span;
  }

  toMetres(u, v) {
    return [this.middle[0] + (u - 0.5) * this.span, this.middle[1] - (v - 0.5) * this.span];
  }

  draw(viewport, insets, marks = []) {
    if (!this.border) return;
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const size = canvas.clientWidth;
    if (canvas.width !== Math.round(size * ratio)) canvas.width = canvas.height = Math.round(size * ratio);
    const context = openSheet(canvas);
    const pixel = ([x, y]) => [
      ((x - this.middle[0]) / this.span + 0.5) * size,
      (0.5 - (y - this.middle[1]) / this.span) * size,
    ];
    const trace = (ring) => {
      context.beginPath();
      ring.forEach((point, i) => (i ? context.lineTo(...pixel(point)) : context.moveTo(...pixel(point))));
    };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size, size);
    for (const ring of this.border) {
      trace(ring);
      context.fillStyle = "rgba(34,52,78,0.9)";
      context.fill();
    }
    context.strokeStyle = "rgba(120,160,196,0.55)";
    context.lineWidth = 1;
    for (const ring of this.rings) {
      trace(ring);
      context.stroke();
    }
    context.strokeStyle = "rgba(110,196,236,0.95)";
    for (const ring of this.border) {
      trace(ring);
      context.stroke();
    }
    for (const { x, loud } of marks) {
      context.beginPath();
      context.arc(...pixel(x), size / (marks.length > 30 ? 75 : loud ? 40 : 55), 0, 2 * Math.PI);
      context.fillStyle = loud ? "#e21e28" : "#a8686c";
      context.fill();
    }
    if (!this.seesAll(viewport, insets)) this.drawView(context, viewport, insets, trace);
  }

  /** A frame around everything tells nothing. */
  seesAll(viewport, insets) {
    const right = viewport.width - insets.right;
    const bottom = viewport.height - insets.bottom;
    return this.edge.every((place) => {
      const [x, y] = viewport.project(place);
      return x >= insets.left && x <= right && y >= insets.top && y <= bottom;
    });
  }

  drawView(context, viewport, insets, trace) {
    // A tilted screen sees to the horizon: its upper edge is cut where the ground is still near.
    const top = viewport.orthographic || viewport.pitch < 55 ? insets.top : viewport.height * 0.22;
    const corners = [
      [insets.left, top],
      [viewport.width - insets.right, top],
      [viewport.width - insets.right, viewport.height - insets.bottom],
      [insets.left, viewport.height - insets.bottom],
    ].map((corner) => toLocal(this.frame, viewport.unproject(corner)));
    trace([...corners, corners[0]]);
    context.fillStyle = "rgba(255,255,255,0.10)";
    context.fill();
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.5;
    context.stroke();
  }
}

