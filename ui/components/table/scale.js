// True scale: how many metres a pixel is, and what the stamp may say. Pure functions: no page, no renderer.

// Circumference that the renderer itself uses for its METER_OFFSETS system; a test measures a drawn 100 m against it.
const RENDERER_EARTH_M = 40.03e6;
const TILE = 512;
const TILT_EPSILON_DEG = 0.01;

/** Metres on the ground for one CSS pixel at the frame's origin, seen from straight above. */
export function metresPerPixel(zoom, latitude) {
  return (Math.cos((latitude * Math.PI) / 180) * RENDERER_EARTH_M) / (TILE * 2 ** zoom);
}

/** The zoom at which one CSS pixel is `metres` on the ground. */
export function zoomForMetresPerPixel(metres, latitude) {
  return Math.log2((Math.cos((latitude * Math.PI) / 180) * RENDERER_EARTH_M) / (TILE * metres));
}

/** The zoom of a true 1:`denominator` on a screen whose device pixel is `pitchMm` wide, at this device pixel ratio. */
export function zoomForScale(denominator, pitchMm, ratio, latitude) {
  return zoomForMetresPerPixel((denominator * pitchMm * ratio) / 1000, latitude);
}

/** N of the 1:N that is drawn now. */
export function denominatorOf(zoom, pitchMm, ratio, latitude) {
  return (metresPerPixel(zoom, latitude) * 1000) / (pitchMm * ratio);
}

/** Width of a device pixel in mm from a screen's diagonal in inches and its resolution in device pixels. */
export function pitchFromDiagonal(inches, widthPx, heightPx) {
  return (inches * 25.4) / Math.hypot(widthPx, heightPx);
}

/** Width of a device pixel in mm from the measured length of a bar drawn `cssPx` long. */
export function pitchFromBar(lengthMm, cssPx, ratio) {
  return lengthMm / (cssPx * ratio);
}

/** A pitch that a real screen can have: from a phone's 0.04 mm to a coarse LED wall's 12 mm. */
export function isPlausiblePitch(pitchMm) {
  return Number.isFinite(pitchMm) && pitchMm >= 0.03 && pitchMm <= 12;
}

/**
 * What the stamp says: {truth: "all" | "across" | "none", denominator, reason}.
 * `calibration` is {pitchMm, ratio} or null; `page` is {ratio, pinch}; `camera` is {zoom, pitch, orthographic}.
 */
export function judgeScale(camera, calibration, page, latitude) {
  if (!calibration) return { truth: "none", reason: "uncalibrated" };
  if (Math.abs(page.ratio - calibration.ratio) > 1e-6 || Math.abs(page.pinch - 1) > 1e-6) {
    return { truth: "none", reason: "zoomed" };
  }
  const denominator = denominatorOf(camera.zoom, calibration.pitchMm, page.ratio, latitude);
  if (camera.pitch <= TILT_EPSILON_DEG) return { truth: "all", denominator };
  return camera.orthographic ? { truth: "across", denominator } : { truth: "none", reason: "tilted", denominator };
}

/** A round number of metres whose bar is at most `maxPx` long: {metres, px}. */
export function niceBar(metresPerPx, maxPx) {
  const most = metresPerPx * maxPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= most);
  return { metres, px: metres / metresPerPx };
}

/** Where the frame's origin lies in the renderer's world, whose width is 512, and how much of it a metre is. */
function findOrigin(frame) {
  return {
    unitsPerMetre: TILE / (RENDERER_EARTH_M * Math.cos((frame.lat * Math.PI) / 180)),
    worldX: (TILE * (frame.lon + 180)) / 360,
    worldY: TILE / 2 + (TILE / (2 * Math.PI)) * Math.log(Math.tan(Math.PI / 4 + (frame.lat * Math.PI) / 360)),
  };
}

/** Local metres of the frame to longitude and latitude as the renderer's camera counts them. */
export function toLngLat(frame, [x, y]) {
  const { unitsPerMetre, worldX, worldY } = findOrigin(frame);
  return [
    ((worldX + x * unitsPerMetre) / TILE) * 360 - 180,
    (2 * Math.atan(Math.exp(((worldY + y * unitsPerMetre - TILE / 2) * 2 * Math.PI) / TILE)) - Math.PI / 2) * (180 / Math.PI),
  ];
}

/**
 * Local metres (x, y, height) to [x, y, w] of this view: the pixel is (x / w, y / w), before the camera w is positive.
 * The same as the renderer's own projection, for what has thousands of points: local metres are linear in its world.
 */
export function buildProjection(frame, viewport) {
  const { unitsPerMetre, worldX, worldY } = findOrigin(frame);
  const m = viewport.pixelProjectionMatrix;
  const up = viewport.distanceScales.unitsPerMeter[2];
  return (x, y, z = 0) => {
    const [u, v, h] = [worldX + x * unitsPerMetre, worldY + y * unitsPerMetre, z * up];
    return [m[0] * u + m[4] * v + m[8] * h + m[12], m[1] * u + m[5] * v + m[9] * h + m[13], m[3] * u + m[7] * v + m[11] * h + m[15]];
  };
}

/** Longitude and latitude of the camera back to local metres: the inverse of toLngLat. */
export function toLocal(frame, [lon, lat]) {
  const { unitsPerMetre } = findOrigin(frame);
  const north = (degrees) => (TILE / (2 * Math.PI)) * Math.log(Math.tan(Math.PI / 4 + (degrees * Math.PI) / 360));
  return [(TILE * (lon - frame.lon)) / 360 / unitsPerMetre, (north(lat) - north(frame.lat)) / unitsPerMetre];
}
