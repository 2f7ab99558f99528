// What happens when nobody does anything: visitor mode by itself, and the slow tour. One touch brings all back.

const TOUR_AFTER_MS = 60_000;
const TOUR_DEG_S = 1.2;

export class Rest {
  constructor(table) {
    Object.assign(this, { table, tour: false, turning: false, byIdle: false, lastTouch: performance.now() });
  }

  touch() {
    this.lastTouch = performance.now();
    if (this.byIdle) this.setVisiting(false);
  }

  setTour(on) {
    this.tour = on;
    this.table.hud.parts.tour.setAttribute("aria-pressed", on ? "true" : "false");
    if (on) this.lastTouch = performance.now() - TOUR_AFTER_MS + 1500; // who asks for it sees it begin
  }

  /** Visitors see no rentals of single homes, no suspicions and no places of incidents; figures stay. */
  setVisiting(on, byIdle = false) {
    if (this.table.visiting === on) return;
    this.table.visiting = on;
    this.byIdle = on && byIdle;
    document.body.classList.toggle("shapan-visiting", on);
    if (on) {
      this.table.select(null);
      this.table.closeInside();
    }
    this.table.alarms.setHidden();
    this.table.refresh();
    this.table.surfaces.switched();
  }

  /** Once a second. */
  tick() {
    const { data, visiting } = this.table;
    const still = performance.now() - this.lastTouch;
    if (data.idleS && still > data.idleS * 1000 && !visiting && !this.table.alarms.isLoud) this.setVisiting(true, true);
    if (this.mayTurn(still) && !this.turning) this.turn();
  }

  mayTurn(still) {
    return this.tour && still > TOUR_AFTER_MS && !this.table.alarms.isAny;
  }

  turn() {
    this.turning = true;
    let before = performance.now();
    const step = (at) => {
      if (!this.mayTurn(at - this.lastTouch)) {
        this.turning = false;
        return;
      }
      const camera = this.table.camera.now;
      this.table.camera.go({ ...camera, bearing: camera.bearing + ((at - before) / 1000) * TOUR_DEG_S }, 0);
      before = at;
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}
