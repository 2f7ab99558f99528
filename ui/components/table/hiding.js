// Whether a place is seen, or a house stands before it: the name of a road behind a house would be read as the house's. Reckoned from footprints and heights; no picture is asked for.

const CELL_M = 40;

export class Hiding {
  constructor() {
    this.cells = new Map();
    this.highest = 0;
  }

  /** Buildings as their scene has them: {p: [ring, …], h}, metres of the table. */
  setBuildings(records) {
    this.cells.clear();
    this.highest = 0;
    for (const { p: [ring], h } of records) {
      this.highest = Math.max(this.highest, h);
      const [xs, ys] = [0, 1].map((axis) => ring.map((point) => point[axis]));
      const house = { ring, h };
      for (let i = toCell(Math.min(...xs)); i <= toCell(Math.max(...xs)); i += 1)
        for (let j = toCell(Math.min(...ys)); j <= toCell(Math.max(...ys)); j += 1) {
          const key = `${i} ${j}`;
          if (!this.cells.has(key)) this.cells.set(key, []);
          this.cells.get(key).push(house);
        }
    }
  }

  /** Whether [x, y, z] is behind a higher house for who looks from where `sight` {east, north, rise} points. */
  isHidden([x, y, z = 0], { east, north, rise }) {
    if (!(rise > 0) || this.highest <= z) return false;
    const reach = (this.highest - z) / rise; // beyond that the line of sight is above every roof
    const met = new Set();
    for (let along = 0; ; along = Math.min(reach, along + CELL_M / 2)) {
      for (const house of this.cells.get(`${toCell(x + east * along)} ${toCell(y + north * along)}`) ?? []) met.add(house);
      if (along >= reach) break;
    }
    const over = (h) => (h - z) / rise; // so far away the line of sight passes over this house
    return [...met].some(({ ring, h }) => h > z && crosses([x, y], [x + east * over(h), y + north * over(h)], ring));
  }
}

/** Direction from a place to the camera: a step of one metre over the ground, and how far the line rises on it. */
export function findSight(viewport, place) {
  const at = viewport.projectPosition(place);
  const [east, north, up] = viewport.cameraPosition.map((value, i) => value - at[i]);
  const length = Math.hypot(east, north);
  return length < 1e-12 ? { east: 0, north: 0, rise: 0 } : { east: east / length, north: north / length, rise: up / length };
}

function toCell(metres) {
  return Math.floor(metres / CELL_M);
}

/** Whether the line from `a` to `b` meets an edge of the ring. */
function crosses(a, b, ring) {
  const side = (p, q, r) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
  return ring.some((point, i) => {
    const next = ring[(i + 1) % ring.length];
    return side(a, b, point) * side(a, b, next) < 0 && side(point, next, a) * side(point, next, b) < 0;
  });
}
