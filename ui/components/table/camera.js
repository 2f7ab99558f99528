// Where the camera goes: fits, presets and flights. It moves only when a person asks.
import { toLngLat } from "./scale.js";

const LIMITS = { maxZoom: 24, minZoom: 12, minPitch: 0, maxPitch: 75 };
const FIT_ROUNDS = 14;

export class Camera {
  /** `instance`, the renderer, is set once it is there; fits need only the size of its element. */
  constructor(deck, element, frame) {
    Object.assign(this, { deck, element, frame, instance: null, orthographic: false, onGo: () => {} });
  }

  /** The camera now: {longitude, latitude, zoom, pitch, bearing}. */
  get now() {
    const { longitude, latitude, zoom, pitch, bearing } = this.instance.getViewports()[0];
    return { longitude, latitude, zoom, pitch, bearing };
  }

  get size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  viewport(camera) {
    return new this.deck.WebMercatorViewport({ ...this.size, ...camera, orthographic: this.orthographic });
  }

  /** Camera that shows all `points` (local metres, with heights) inside the insets, at this pitch and bearing. */
  fit(points, { pitch, bearing, insets, maxZoom = 20, zoom = null }) {
    const places = points.map(([x, y, z]) => [...toLngLat(this.frame, [x, y]), z || 0]);
    let camera = { longitude: places[0][0], latitude: places[0][1], zoom: zoom ?? 15, pitch, bearing };
    const { width, height } = this.size;
    const room = [Math.max(80, width - insets.left - insets.right), Math.max(80, height - insets.top - insets.bottom)];
    const target = [insets.left + room[0] / 2, insets.top + room[1] / 2];
    for (let round = 0; round < FIT_ROUNDS; round += 1) {
      const view = this.viewport(camera);
      const drawn = places.map((place) => view.project(place));
      const [xs, ys] = [drawn.map((p) => p[0]), drawn.map((p) => p[1])];
      const box = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      const share = Math.min(room[0] / Math.max(1, box[1] - box[0]), room[1] / Math.max(1, box[3] - box[2]));
      const away = [(box[0] + box[1]) / 2 - target[0], (box[2] + box[3]) / 2 - target[1]];
      const [longitude, latitude] = view.unproject([width / 2 + away[0], height / 2 + away[1]]);
      camera = { ...camera, longitude, latitude };
      if (zoom === null) camera.zoom = Math.min(maxZoom, camera.zoom + Math.log2(share) * 0.8);
    }
    return camera;
  }

  /** The camera with the limits that the renderer keeps. */
  limited(camera) {
    return { ...LIMITS, ...camera };
  }

  /** Go there; `ms` 0 is at once. */
  go(camera, ms = 1100) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const duration = calm ? 0 : ms;
    this.onGo();
    this.instance.setProps({
      initialViewState: {
        ...this.limited(camera),
        transitionDuration: duration,
        transitionInterpolator: duration ? new this.deck.FlyToInterpolator({ curve: 1.2 }) : undefined,
        transitionEasing: (k) => 1 - (1 - k) ** 3,
        asked: performance.now(), // the renderer ignores a view state that equals the last one it was given
      },
    });
  }

  setOrthographic(on) {
    this.orthographic = on;
    const camera = this.now;
    this.instance.setProps({
      views: [new this.deck.MapView({ id: "table", controller: CONTROLLER, orthographic: on, farZMultiplier: 2 })],
    });
    this.go(camera, 0);
  }
}

export const CONTROLLER = { scrollZoom: { speed: 0.008, smooth: true }, touchRotate: true, doubleClickZoom: true, keyboard: true, inertia: 200 };
