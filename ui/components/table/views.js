// The usual views: who saw the whole sees the whole from every side; and where the frame lies over the picture.

const FRAMES = ".sp-top, .sp-left, .sp-stamp, .sp-asof, .sp-north, .sp-bar, .sp-overview, .sp-group, .sp-alarms, .sp-alarm-panel, .sp-replay, .sp-opened";
const WHOLE = { pitch: 50, bearing: -24 };
const TILT_DEG = 55;

export class Views {
  constructor(table) {
    this.table = table;
  }

  get camera() {
    return this.table.camera;
  }

  whole() {
    this.table.setOrthographic(false);
    this.camera.go(this.table.wholeCamera(WHOLE.pitch, WHOLE.bearing));
  }

  north() {
    this.turnTo({ bearing: 0 }, 500);
  }

  oblique() {
    this.turnTo({ pitch: this.camera.now.pitch > 30 ? 0 : TILT_DEG }, 700);
  }

  orthographic() {
    const wasWhole = this.isWhole();
    this.table.setOrthographic(!this.camera.orthographic);
    if (wasWhole) this.camera.go(this.table.wholeCamera(this.camera.now.pitch, this.camera.now.bearing), 0);
  }

  /** Where the page's own script foresaw the rails wrongly the camera is put right, before anybody has touched it. */
  frameWhole() {
    const [now, whole] = [this.camera.now, this.table.wholeCamera(WHOLE.pitch, WHOLE.bearing)];
    if (!isSame(now, whole, 0.01, 1e-5)) this.camera.go(whole, 0);
  }

  /** Whether the whole community is shown and nothing else, as the button "whole" does. */
  isWhole() {
    const { now } = this.camera;
    return isSame(now, this.table.wholeCamera(now.pitch, now.bearing), 0.02, 2e-5);
  }

  /** Look from another side: who saw the whole sees the whole, else the middle of the picture stays where it is. */
  turnTo(change, ms) {
    const wanted = { ...this.camera.now, ...change };
    this.camera.go(this.isWhole() ? this.table.wholeCamera(wanted.pitch, wanted.bearing) : wanted, ms);
  }

  /** What of the frame lies over the table: no word is written under it. */
  findFrames() {
    return [...this.table.host.querySelectorAll(FRAMES), document.querySelector(".st-key-rail")]
      .filter((node) => node && (node.checkVisibility?.({ visibilityProperty: true }) ?? true))
      .map((node) => node.getBoundingClientRect()).filter(({ width }) => width)
      .map(({ left, right, top, bottom }) => ({ left, right, top, bottom, frame: true }));
  }
}

function isSame(one, other, zoom, degrees) {
  return Math.abs(one.zoom - other.zoom) < zoom && Math.hypot(one.longitude - other.longitude, one.latitude - other.latitude) < degrees;
}
