// What an alarm lights on the table: a ring and a column, and of a house its roof's edge, the storey and the home. Drawn on
// the sheet of the beacons and not by the renderer: a picture of all houses takes a machine without a graphics card a
// second, and a light must not wait for it. It is seen through whatever stands before it, so that a home at the back is found.
import { buildProjection } from "./scale.js";

const BEACON_M = { loud: 90, calm: 42 };
const RING_M = 26;
const CORNERS = 28;
const CIRCLE = Array.from({ length: CORNERS }, (_, i) => [Math.cos((2 * Math.PI * i) / CORNERS), Math.sin((2 * Math.PI * i) / CORNERS)]);
const NEAR = 0.05; // of w, which is about 1.5 in the middle of the screen: nearer things are behind the camera
const LEAST_PX = 3; // of a home's length on the screen; a smaller one is a speck under the ring
const MUTED = "168,104,108";
const LOOK = {
  loud: { side: "rgba(226,30,40,0.62)", lid: "rgba(255,84,88,0.78)", edge: "#e21e28", storey: "rgba(255,176,170,0.30)", storeyLid: "rgba(255,190,184,0.34)" },
  calm: { side: `rgba(${MUTED},0.55)`, lid: "rgba(190,132,136,0.6)", edge: `rgb(${MUTED})`, storey: "rgba(190,160,164,0.24)", storeyLid: "rgba(200,172,176,0.26)" },
};

export const kindOf = (alarm) => (alarm.l === 0 ? "loud" : "calm");

/** Where the light of each alarm is on the screen; of what is out of sight nothing. */
export function placeLights(alarms, frame, viewport) {
  const project = buildProjection(frame, viewport);
  const at = (x, y, z) => {
    const [u, v, w] = project(x, y, z);
    return w > NEAR ? [u / w, v / w] : null;
  };
  const isNear = ([x, y]) => x > -80 && y > -80 && x < viewport.width + 80 && y < viewport.height + 80;
  const storeys = new Set(); // two alarms on one storey light it once; the more pressing one comes first and says how
  return alarms.map((alarm) => {
    const [x, y] = alarm.x;
    const [foot, top] = [at(x, y, 0.3), at(x, y, BEACON_M[kindOf(alarm)])];
    if (!foot || !top || !(isNear(foot) || isNear(top))) return null;
    const radius = alarm.l ? RING_M * 0.4 : RING_M;
    const ring = CIRCLE.map(([u, v]) => at(x + u * radius, y + v * radius, 0.3) ?? foot).map(([u, v]) => [u - foot[0], v - foot[1]]);
    const roof = alarm.rings && alarm.top < BEACON_M[kindOf(alarm)] ? at(x, y, alarm.top) ?? foot : foot;
    return { alarm, foot, top, roof, ring, ...placeHouse(alarm, at, storeys) };
  }).filter(Boolean);
}

/** Prisms of the storey and the home, and the edge of the roof. */
function placeHouse(alarm, at, storeys) {
  const prisms = [];
  const name = alarm.rings && `${alarm.rings[0]?.[0]} ${alarm.storey}`;
  const isFirst = alarm.rings && !storeys.has(name);
  if (isFirst) storeys.add(name);
  const edges = isFirst ? alarm.rings.map((ring) => lift(ring, alarm.top + 0.3, at)).filter(Boolean) : [];
  if (alarm.storey && alarm.home) {
    const [floor, high] = alarm.storey;
    if (isFirst) for (const ring of alarm.rings) prisms.push(buildPrism(ring, floor + 0.5, high - 1, "storey", at));
    for (const ring of alarm.home) prisms.push(buildPrism(ring, floor + 0.1, high - 0.2, "side", at));
  }
  const kept = prisms.filter(Boolean);
  return { edges, prisms: kept, homes: kept.filter(({ kind }) => kind === "side").map(findBox) };
}

function findBox({ low, lid }) {
  const [xs, ys] = [0, 1].map((axis) => [...low, ...lid].map((point) => point[axis]));
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** The ring at a height, as pixels; null if a part of it is behind the camera. */
function lift(ring, z, at) {
  const line = [];
  for (const [x, y] of ring) {
    const point = at(x, y, z);
    if (!point) return null;
    line.push(point);
  }
  return line;
}

/** Walls and lid as pixels: every face turns the same way, so that all of them are filled as one body. */
function buildPrism(ring, floor, high, kind, at) {
  const [low, lid] = [lift(ring, floor, at), lift(ring, floor + high, at)];
  if (!low || !lid || !low.some(([x, y]) => Math.hypot(x - low[0][0], y - low[0][1]) > LEAST_PX)) return null;
  const walls = low.slice(1).map((point, i) => turn([low[i], point, lid[i + 1], lid[i]]));
  return { kind, walls, low, lid: turn(lid) };
}

function turn(face) {
  let area = 0;
  face.forEach(([x, y], i) => {
    const [u, v] = face[(i + 1) % face.length];
    area += x * v - u * y;
  });
  return area < 0 ? [...face].reverse() : face;
}

/** Draw one of placeLights; `beat` is how far the pulse has come, 0 to 1, `thick` a line's width in pixels. */
export function drawLight(context, { alarm, foot, top, roof, ring, edges, prisms }, beat, thick) {
  const look = LOOK[kindOf(alarm)];
  for (const edge of edges) stroke(context, edge, look.edge, thick);
  for (const prism of prisms) drawPrism(context, prism, look, thick);
  if (alarm.l) {
    traceRing(context, foot, ring, 1, `rgba(${MUTED},0.85)`, thick * 0.8);
    drawColumn(context, roof, top, `rgba(${MUTED},0.85)`, thick * 1.1);
    return;
  }
  if (roof !== foot) drawColumn(context, foot, roof, "rgba(255,40,52,0.5)", thick * 1.3); // inside the house
  drawColumn(context, roof, top, "rgba(255,40,52,0.28)", thick * 3.6);
  drawColumn(context, roof, top, "#e21e28", thick * 1.5);
  for (const shift of [0, 0.5]) {
    const grown = (beat + shift) % 1;
    traceRing(context, foot, ring, 0.12 + 0.88 * grown, `rgba(255,36,48,${(0.95 * (1 - grown)).toFixed(3)})`, thick * (1.5 - 0.7 * grown));
  }
  traceRing(context, foot, ring, 0.14, "rgba(255,36,48,0.95)", thick);
}

function drawPrism(context, { kind, walls, low, lid }, look, thick) {
  fill(context, [...walls, lid], look[kind]);
  fill(context, [lid], kind === "side" ? look.lid : look.storeyLid);
  if (kind !== "side") return;
  stroke(context, low, look.edge, thick * 0.8);
  stroke(context, lid, look.edge, thick * 0.8);
}

function fill(context, faces, ink) {
  context.beginPath();
  for (const face of faces) {
    face.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
  }
  context.fillStyle = ink;
  context.fill("nonzero");
}

function stroke(context, line, ink, thick) {
  context.beginPath();
  for (const [x, y] of line) context.lineTo(x, y);
  context.closePath();
  context.strokeStyle = ink;
  context.lineWidth = thick;
  context.lineJoin = "round";
  context.stroke();
}

function drawColumn(context, from, to, ink, thick) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.strokeStyle = ink;
  context.lineWidth = thick;
  context.stroke();
}

function traceRing(context, foot, ring, share, ink, thick) {
  context.beginPath();
  for (const [dx, dy] of ring) context.lineTo(foot[0] + dx * share, foot[1] + dy * share);
  context.closePath();
  context.strokeStyle = ink;
  context.lineWidth = thick;
  context.stroke();
}
