// True scale on this screen: the stamp, the bar, the calibration, the presets 1:N and one grid after another.
import * as scale from "./scale.js";

const CALIBRATION = "shapan.calibration";
const BAR_PX = 480;

export class Ruler {
  constructor(table) {
    Object.assign(this, { table, denominator: 300, gridIndex: -1 });
  }

  get calibration() {
    try {
      const kept = JSON.parse(localStorage.getItem(CALIBRATION));
      return kept && scale.isPlausiblePitch(kept.pitchMm) ? kept : null;
    } catch {
      return null;
    }
  }

  judge(viewport) {
    const { data } = this.table;
    const camera = { zoom: viewport.zoom, pitch: viewport.pitch, orthographic: this.table.camera.orthographic };
    const page = { ratio: window.devicePixelRatio, pinch: window.visualViewport?.scale ?? 1 };
    const verdict = scale.judgeScale(camera, this.calibration, page, data.frame.lat);
    const say = (key) => data.strings[`table.${key}`];
    const n = verdict.denominator && Math.round(verdict.denominator * (verdict.denominator < 100 ? 10 : 1)) / (verdict.denominator < 100 ? 10 : 1);
    const text = {
      all: () => say("scale_true").replace("{n}", n),
      across: () => say("scale_across").replace("{n}", n),
      none: () => say(`scale_${verdict.reason}`),
    }[verdict.truth]();
    this.table.hud.showStamp(text, verdict.truth, say(verdict.truth === "all" && !camera.orthographic ? "scale_ground_help" : `scale_${verdict.truth}_help`));
    const metres = scale.metresPerPixel(viewport.zoom, data.frame.lat);
    this.table.hud.showBar(scale.niceBar(metres, 9 * this.table.rem), viewport.bearing, viewport.pitch > 0.01 && !camera.orthographic ? say("bar_middle") : "");
    this.table.verdict = verdict;
  }

  scaleTo(denominator) {
    const kept = this.calibration;
    if (!kept) {
      this.calibrate(() => this.scaleTo(denominator));
      return;
    }
    this.denominator = denominator;
    const zoom = scale.zoomForScale(denominator, kept.pitchMm, window.devicePixelRatio, this.table.data.frame.lat);
    const [cx, cy] = this.table.middle();
    this.table.setOrthographic(true); // only a parallel picture is to scale on roofs as well
    this.table.camera.go(this.table.camera.fit([[cx, cy]], { pitch: 0, bearing: 0, insets: this.table.insets(), zoom }));
  }

  calibrate(then = () => {}) {
    const say = (key) => this.table.data.strings[`table.${key}`];
    const kept = this.calibration;
    const ratio = window.devicePixelRatio;
    this.table.hud.openCalibration({
      barPx: BAR_PX,
      widthPx: Math.round(window.screen.width * ratio),
      heightPx: Math.round(window.screen.height * ratio),
      inches: kept?.inches,
      isPlausible: scale.isPlausiblePitch,
      fromBar: (mm) => scale.pitchFromBar(mm, BAR_PX, ratio),
      fromDiagonal: scale.pitchFromDiagonal,
      now: kept ? say("cal_now").replace("{mm}", kept.pitchMm.toFixed(4)) : say("cal_none"),
    }, (pitchMm) => {
      localStorage.setItem(CALIBRATION, JSON.stringify({ pitchMm, ratio }));
      this.table.instance.redraw("calibrated");
      then();
    });
  }

  stepGrid(step) {
    const grids = this.table.scenes.grids || [];
    if (!grids.length) return;
    const ids = [...new Set(grids.map((record) => record.id))];
    this.gridIndex = (this.gridIndex + step + ids.length) % ids.length;
    const mine = grids.filter((record) => record.id === ids[this.gridIndex]);
    const points = mine.flatMap((record) => record.l);
    this.table.hud.parts.gridName.textContent = mine[0].n;
    this.table.select({ kind: "grid", id: mine[0].id }, { rings: mine.map((record) => record.l), top: 0.4 });
    this.table.refresh();
    const kept = this.calibration;
    this.table.setOrthographic(true);
    const zoom = kept ? scale.zoomForScale(this.denominator || 300, kept.pitchMm, window.devicePixelRatio, this.table.data.frame.lat) : null;
    this.table.camera.go(this.table.camera.fit(points, { pitch: 0, bearing: 0, insets: this.table.insets(), zoom }));
  }
}
