// Our own marks of a floor plan: a form and a letterless sign each, so that no colour alone says it. 24 units square.

/** Order of the legend. */
export const MARKS = ["exit", "door", "stairs", "extinguisher", "hydrant", "gas", "power", "camera", "hazard"];

const FRAME = {
  square: "M3 3H21V21H3Z",
  circle: "M12 2A10 10 0 1 1 11.9 2Z",
  triangle: "M12 2L23 21H1Z",
};
// Frame, its fill, its ink, and the sign. Red is an alarm's: what is for fire is a deep orange.
const LOOKS = {
  exit: ["square", "#1f8f6a", "#ffffff", "M6 12H15M11 7L16 12L11 17M18 6V18"],
  door: ["square", "#24507c", "#ffffff", "M8 18V6H15V18M13 12H13.6"],
  stairs: ["square", "#24507c", "#ffffff", "M5 18H9V14H13V10H17V6H20"],
  extinguisher: ["circle", "#b9642b", "#ffffff", "M9 19V10A3 3 0 0 1 15 10V19ZM12 7V5M12 5L17 7M12 5H8"],
  hydrant: ["circle", "#b9642b", "#ffffff", "M8 19H16M9 19V9A3 3 0 0 1 15 9V19M6 12H9M15 12H18"],
  gas: ["triangle", "#e9d873", "#0b1420", "M12 9C15 12 15 14 15 15A3 3 0 0 1 9 15C9 13 11 13 12 9Z"],
  power: ["triangle", "#e9d873", "#0b1420", "M13 8L9 14H12L11 18L15 12H12Z"],
  camera: ["circle", "#8a6fd1", "#ffffff", "M6 9H14V15H6ZM14 11L18 9V15L14 13"],
  hazard: ["triangle", "#e9d873", "#0b1420", "M12 8V14M12 17V17.4"],
};

/** The sign of `kind` as SVG parts, made by `svg(tag, attributes)`, its middle at (x, y). */
export function drawMark(svg, kind, x, y, size) {
  const [frame, fill, ink, sign] = LOOKS[kind] ?? LOOKS.hazard;
  const scale = size / 24;
  return svg("g", { transform: `translate(${(x - size / 2).toFixed(1)} ${(y - size / 2).toFixed(1)}) scale(${scale.toFixed(3)})`, "data-mark": kind },
    svg("path", { d: FRAME[frame], fill, stroke: "#0b1420", "stroke-width": 1.5 }),
    svg("path", { d: sign, fill: "none", stroke: ink, "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}
