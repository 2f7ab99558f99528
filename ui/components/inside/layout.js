// Where each unit stands in the section: a column an entrance, a row a storey, places counted in slots from the left.

/**
 * {columns: [{n, from, to}], rows: [{l, cells: [{unit, from, to}]}], slots}.
 *
 * Within an entrance units are ordered as they lie from left to right, those further back after those in front. Units
 * without an entrance (shops that open to the street) share their storey's whole width with the others.
 */
export function layOut(record) {
  const doors = record.entrances.length ? record.entrances : [{ id: null, n: "" }];
  const known = new Set(doors.map((door) => door.id));
  const byLevel = new Map(record.levels.map(({ l }) => [l, []]));
  for (const unit of record.units) byLevel.get(unit.l)?.push(unit);
  const isFree = (unit) => doors[0].id !== null && !known.has(unit.e);
  const widest = (door) => Math.max(1, ...[...byLevel.values()].map((units) => units.some(isFree) ? 0 : units.filter((unit) => belongs(unit, door, doors)).length));
  let from = 0;
  const columns = doors.map((door) => {
    const column = { door, n: door.n, from, to: from + widest(door) };
    from = column.to;
    return column;
  });
  const rows = record.levels.map(({ l, n }) => {
    const units = byLevel.get(l);
    const cells = units.some(isFree) ? spread(units, 0, from) : columns.flatMap((column) => spread(units.filter((unit) => belongs(unit, column.door, doors)), column.from, column.to));
    return { l, n, cells };
  });
  return { columns, rows, slots: from };
}

const belongs = (unit, door, doors) => unit.e === door.id || (doors.length === 1 && door.id === null);

/** Units side by side between two slots, each as wide as the others. */
function spread(units, from, to) {
  const ordered = [...units].sort((a, b) => compare(a, b));
  const each = (to - from) / Math.max(1, ordered.length);
  return ordered.map((unit, i) => ({ unit, from: from + i * each, to: from + (i + 1) * each }));
}

function compare(a, b) {
  if (a.x && b.x && Math.abs(a.x[0] - b.x[0]) > 1) return a.x[0] - b.x[0];
  if (a.x && b.x && Math.abs(a.x[1] - b.x[1]) > 1) return a.x[1] - b.x[1];
  return a.n.localeCompare(b.n, undefined, { numeric: true });
}
