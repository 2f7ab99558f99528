// What the table does by itself has time: the renderer draws what changed when it has rested, words step aside a moment after
// a light. At once on a graphics card; without one a picture of the houses takes a second, in which no light comes on.

const REST = 4; // times as long as the last picture took: a fifth of the time at the most
const REST_MS = [200, 8000];
const ROOM_MS = [300, 2000];

export class Pace {
  constructor(table) {
    Object.assign(this, { table, freeAt: 0, redrawing: null, making: null });
  }

  /** The renderer's next picture, once it has rested. */
  refreshSoon() {
    this.redrawing ??= setTimeout(() => {
      this.redrawing = null;
      this.table.refresh();
    }, Math.max(0, this.freeAt - performance.now()));
  }

  /** A picture was just ordered: how long the renderer rests after it. */
  async gauge() {
    const begun = performance.now();
    this.freeAt = begun + REST_MS[1];
    await this.table.drawnOut();
    const took = performance.now() - begun;
    this.freeAt = begun + took + Math.max(REST_MS[0], Math.min(REST_MS[1], took * REST));
  }

  /** Other alarms are lit: soon the words step aside, once for all that came meanwhile. */
  makeRoomSoon() {
    this.making ??= setTimeout(() => {
      this.making = null;
      this.table.makeRoom();
    }, Math.max(ROOM_MS[0], Math.min(ROOM_MS[1], this.table.alarms.beacons.costMs * REST)));
  }

  close() {
    clearTimeout(this.redrawing);
    clearTimeout(this.making);
  }
}
