// What colour a unit has for each question, and what that means. Saturated red is an alarm and nothing else; what colours
// alone could not tell apart for everybody is also a word or a sign in the room.

export const COLOURS = ["use", "rental", "risk", "suspicion", "visit", "incidents"];
/** What visitors may see: nothing that is known of one home. */
export const FOR_VISITORS = ["use"];

const DARK = "#0b1420";
const LIGHT = "#e8f1fb";
const QUIET = { fill: "#2b3d55", ink: "#b9c9dc" };
const USES = {
  dwelling: { fill: "#5d7698", ink: LIGHT, rank: 1 },
  shop: { fill: "#c2a47a", ink: DARK, rank: 2 },
  office: { fill: "#6aa2d8", ink: DARK, rank: 3 },
  storage: { fill: "#6b7280", ink: LIGHT, rank: 4 },
  other: { fill: "#86a39a", ink: DARK, rank: 5 },
};
const RENTAL = "#ffbe54";
const GROUP = "#ee5cdc";
const DAY_MS = 86_400_000;
// Visit cycles of rentals are one to three weeks (the table's defaults); beyond a quarter nobody knows any more.
const VISITS = [[21, "#3fbf9f", DARK], [90, "#2f8f8a", LIGHT], [Infinity, "#4b5f76", LIGHT]];

// The register's four colours, each with its word in the room: red is written, not glaring.
const RISKS = {
  red: { fill: "#a8577e", ink: LIGHT, rank: 1 },
  orange: { fill: "#e0913f", ink: DARK, rank: 2 },
  yellow: { fill: "#e9d873", ink: DARK, rank: 3 },
  green: { fill: "#2f8f86", ink: LIGHT, rank: 4 },
};
// How often something was reported from a home in twelve weeks: light means often, the number stands in the room.
const ALARMS = [[1, "#3c6ea3", LIGHT], [3, "#78a9dd", DARK], [Infinity, "#d6e8ff", DARK]];

/** {key, fill, ink, say, values, rank, mark, hatch, tag} of a unit: its fill, its legend's key, and whether a form or a word (`tag`, a key) says it too. */
export function paint(unit, colour, now = Date.now()) {
  if (colour === "rental") return paintRental(unit);
  if (colour === "suspicion") return paintSuspicion(unit);
  if (colour === "visit") return paintVisit(unit, now);
  if (colour === "risk") return paintRisk(unit);
  if (colour === "incidents") return paintIncidents(unit);
  const use = USES[unit.u] ? unit.u : "other";
  return { key: use, say: `inside.use_${use}`, ...USES[use] };
}

function paintRental(unit) {
  if (!unit.r) return { key: "no", say: "inside.rental_no", rank: 9, ...QUIET };
  if (unit.r.s) return { key: "group", say: "inside.group", fill: GROUP, ink: DARK, rank: 1, mark: true };
  return { key: "let", say: "inside.rental", fill: RENTAL, ink: DARK, rank: 2 };
}

function paintSuspicion(unit) {
  if (!unit.r?.s) return { key: "no", say: "inside.group_no", rank: 9, ...QUIET };
  const sure = unit.r.ok;
  return { key: sure ? "sure" : "said", say: sure ? "inside.group_confirmed" : "inside.group_suspected", fill: GROUP, ink: DARK, rank: sure ? 1 : 2, mark: true, hatch: !sure };
}

function paintRisk(unit) {
  if (!unit.r) return { key: "no", say: "inside.rental_no", rank: 9, ...QUIET };
  const colour = RISKS[unit.r.c] ? unit.r.c : null;
  if (!colour) return { key: "plain", say: "inside.rental_plain", fill: "#6f7f94", ink: LIGHT, rank: 5, hatch: true };
  return { key: colour, say: `inside.rental_${colour}`, tag: `inside.risk_${colour}`, ...RISKS[colour] };
}

function paintIncidents(unit) {
  const [all = 0, lately = 0] = unit.i ?? [];
  if (!lately) return all ? { key: "earlier", say: "inside.incidents_earlier", fill: "#33506f", ink: LIGHT, rank: 8 } : { key: "none", say: "inside.incidents_none", rank: 9, ...QUIET };
  const i = ALARMS.findIndex(([most]) => lately <= most);
  const [most, fill, ink] = ALARMS[i];
  const low = i ? ALARMS[i - 1][0] + 1 : 1;
  const say = Number.isFinite(most) ? (most === low ? "inside.incidents_one" : "inside.incidents_some") : "inside.incidents_many";
  return { key: `i${i}`, say, values: { low, n: Number.isFinite(most) ? most : low }, fill, ink, rank: 4 - i, tag: "inside.incidents_tag", tagValues: { n: lately } };
}

function paintVisit(unit, now) {
  const day = [unit.r?.v, unit.v].filter(Boolean).sort().pop();
  if (!day) {
    if (!unit.r) return { key: "none", say: "inside.visit_none", rank: 9, ...QUIET };
    return { key: "never", say: "inside.visit_never", fill: RENTAL, ink: DARK, rank: 1, hatch: true };
  }
  const days = (now - Date.parse(`${day}T00:00:00+08:00`)) / DAY_MS;
  const i = VISITS.findIndex(([most]) => days <= most);
  const [most, fill, ink] = VISITS[i];
  const before = i ? VISITS[i - 1][0] : 0;
  return { key: `v${i}`, say: Number.isFinite(most) ? "inside.visit_within" : "inside.visit_before", values: { n: Number.isFinite(most) ? most : before }, fill, ink, rank: 4 + i };
}
