// The chime of a new alarm: made here from tones, silenced at the most until the shift ends, never removed.

const SILENCE = "shapan.silence";
const SHANGHAI_MS = 8 * 3600_000; // the whole country has one time, all year
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
// [frequency Hz, begin s, length s] of each tone, and how loud.
const TUNES = {
  urgent: { gain: 0.5, tones: [0, 0.5, 1.0].flatMap((at) => [[880, at, 0.2], [1174.7, at + 0.21, 0.24]]) },
  normal: { gain: 0.36, tones: [[659.3, 0, 0.28], [880, 0.3, 0.42]] },
  not_police: { gain: 0.2, tones: [[587.3, 0, 0.4]] },
};
const LOUDEST = ["urgent", "normal", "not_police"];

/** When the shift that `now` (ms) lies in is over: shifts begin at `first` o'clock in Shanghai and last `length` hours. */
export function findShiftEnd(now, [first, length]) {
  const begin = first * HOUR_MS;
  const day = Math.floor((now + SHANGHAI_MS - begin) / DAY_MS) * DAY_MS + begin;
  const into = now + SHANGHAI_MS - day;
  const end = Math.min(DAY_MS, (Math.floor(into / (length * HOUR_MS)) + 1) * length * HOUR_MS);
  return day + end - SHANGHAI_MS;
}

export class Chime {
  /** `onChange` is called whenever `state` may be another one. */
  constructor(onChange) {
    Object.assign(this, { onChange, shift: [8, 12], rung: [] });
    this.context = window.AudioContext ? new AudioContext() : null;
    if (this.context) this.context.onstatechange = onChange;
  }

  /** "on", "silent" until `until`, "locked" until somebody touches the screen, "none". */
  get state() {
    if (!this.context) return "none";
    if (this.until > Date.now()) return "silent";
    return this.context.state === "running" ? "on" : "locked";
  }

  /** Until when it is silenced, ms; 0 where it is not. Nothing that was written elsewhere silences longer than a day. */
  get until() {
    const until = Number(localStorage.getItem(SILENCE)) || 0;
    return until > Date.now() && until <= Date.now() + DAY_MS ? until : 0;
  }

  /** When this shift is over, ms. */
  get nextShift() {
    return findShiftEnd(Date.now(), this.shift);
  }

  /** What the one button does: enable, silence for the shift, or let it sound again. */
  press() {
    const { state } = this;
    if (state === "silent") localStorage.removeItem(SILENCE);
    else if (state === "on") localStorage.setItem(SILENCE, String(this.nextShift));
    this.unlock();
    if (state !== "on") this.play("not_police");
    this.onChange();
  }

  /** Browsers let nothing sound before the first touch; any touch will do. */
  unlock() {
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
  }

  /** Sound once for what is most urgent of `urgencies`. */
  ring(urgencies) {
    const urgency = LOUDEST.find((one) => urgencies.includes(one)) ?? LOUDEST[1];
    const { state } = this;
    this.rung = [...this.rung.slice(-19), { urgency, state, at: Date.now() }];
    if (state === "on") this.play(urgency);
  }

  play(urgency) {
    if (!this.context) return;
    const { gain, tones } = TUNES[urgency];
    const start = this.context.currentTime + 0.02;
    for (const [frequency, begin, length] of tones) {
      const [tone, volume] = [this.context.createOscillator(), this.context.createGain()];
      tone.type = "triangle";
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0, start + begin);
      volume.gain.linearRampToValueAtTime(gain, start + begin + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.001, start + begin + length);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start + begin);
      tone.stop(start + begin + length + 0.05);
    }
  }

  close() {
    this.context?.close().catch(() => {});
  }
}
