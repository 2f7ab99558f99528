// The renderer asks at each picture of the screen, sixty times a second, whether there is anything to draw. Of a wall that nobody
// touches there is not, for months: then it asks a few times a second and without ordering a picture. Whatever happens wakes it.

const AWAKE_MS = 2000;
const PAUSE_MS = 250;

export class Doze {
  /** `instance` is the renderer, whose loop takes its next turn from here. */
  constructor(instance) {
    Object.assign(this, { loop: instance.animationLoop, wokenAt: performance.now(), pause: 0 });
    if (this.loop?._requestAnimationFrame) this.loop._requestAnimationFrame = () => this.wait();
  }

  /** Something happened, or was drawn: for a while every picture counts. */
  wake() {
    this.wokenAt = performance.now();
    if (!this.pause) return;
    clearTimeout(this.pause);
    this.pause = 0;
    this.wait();
  }

  wait() {
    const { loop } = this;
    if (!loop._running) return;
    if (performance.now() - this.wokenAt < AWAKE_MS) loop._animationFrameId = requestAnimationFrame((at) => loop._animationFrame(at));
    else this.pause = setTimeout(() => this.turn(), PAUSE_MS);
  }

  turn() {
    this.pause = 0;
    this.loop._animationFrame(performance.now()); // which waits again
  }
}
