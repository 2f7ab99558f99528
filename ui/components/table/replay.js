// A day once more: incidents light up, calm down and are over at their times. It is said loudly that this is not now, and
// nothing in it is red: red is what burns now, which still is drawn, and interrupts.
import { el } from "./hud.js";
import { toLngLat } from "./scale.js";
import { openSheet } from "./sheet.js";

const SPEEDS = [60, 300, 1200, 3600]; // seconds of that day in a second of ours
const PERIODS = [1, 3, 7];
const BARS = 96;
const FRAME_MS = 80;
const COLUMN_M = [70, 36];
const RING_M = 22;
const INK = ["#c9b8ff", "#8f86b8"];
const PLATE = ["#4a3a94", "rgba(40,36,66,0.94)"];
const FONT = '"Noto Sans SC","Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif';
const CIRCLE = Array.from({ length: 24 }, (_, i) => [Math.cos((Math.PI * i) / 12), Math.sin((Math.PI * i) / 12)]);

/** The code of an incident at a moment: 0 loud, 1 calm, 2 handled, 3 over; null before its report. */
export function codeAt(moments, at) {
  let code = null;
  for (const [when, next] of moments) {
    if (when > at) break;
    code = next;
  }
  return code;
}

export class Replay {
  constructor(table) {
    Object.assign(this, { table, on: false, playing: false, speed: SPEEDS[1], days: 1, picked: null, scene: null, at: 0 });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "sp-beacons sp-replay-sheet";
    table.chrome.before(this.canvas);
    this.context = openSheet(this.canvas);
  }

  t(key) {
    return this.table.data.strings[`replay.${key}`] ?? "";
  }

  toggle() {
    if (this.on) this.stop();
    else this.begin();
  }

  async begin() {
    if (this.table.visiting) return;
    this.on = true;
    this.known = new Set(this.loudNow().map((alarm) => alarm.id));
    document.body.classList.add("shapan-replaying");
    this.build();
    await this.load();
  }

  stop() {
    this.on = false;
    this.playing = false;
    cancelAnimationFrame(this.timer);
    document.body.classList.remove("shapan-replaying");
    this.root?.remove();
    this.mark?.remove();
    this.scene = null;
    this.draw();
  }

  async load(day = null) {
    const { lang } = this.table.data;
    const query = new URLSearchParams({ lang, days: this.days, ...(day ? { day } : {}) });
    const answer = await fetch(`/scene/replay.json?${query}`, { credentials: "same-origin" }).catch(() => null);
    if (!this.on) return;
    if (!answer?.ok) {
      this.said.textContent = this.t("failed");
      return;
    }
    this.scene = await answer.json();
    this.scene.incidents.forEach((one) => { one.at0 = toLngLat(this.table.data.frame, one.x); });
    const { since, until, first, last } = this.scene;
    Object.assign(this.day, { value: this.dayOf(since), min: first, max: last });
    Object.assign(this.slider, { min: since, max: until });
    this.drawBars();
    this.seek(since);
    this.play(true);
  }

  loudNow() {
    return this.table.alarms.scene.alarms.filter((alarm) => alarm.l === 0);
  }

  // ---- time --------------------------------------------------------------------------------------------------------

  play(on) {
    this.playing = on && Boolean(this.scene);
    if (this.playing && this.at >= this.scene.until) this.seek(this.scene.since);
    this.playButton.textContent = this.t(this.playing ? "pause" : "play");
    this.playButton.setAttribute("aria-pressed", this.playing ? "true" : "false");
    cancelAnimationFrame(this.timer);
    if (!this.playing) return;
    let before = performance.now();
    const step = (now) => {
      if (!this.playing) return;
      if (now - before >= FRAME_MS) {
        this.seek(this.at + (now - before) * this.speed);
        before = now;
        if (this.at >= this.scene.until) {
          this.play(false);
          return;
        }
      }
      this.timer = requestAnimationFrame(step);
    };
    this.timer = requestAnimationFrame(step);
  }

  seek(at) {
    const { since, until } = this.scene;
    this.at = Math.min(until, Math.max(since, at));
    this.slider.value = String(this.at);
    this.shown = this.scene.incidents.map((one) => ({ ...one, code: codeAt(one.m, this.at) })).filter((one) => one.code !== null && one.code < 2);
    this.tell();
    this.table.overlay();
  }

  tell() {
    const when = this.format(this.at);
    this.markTime.textContent = when;
    const loud = this.shown.filter((one) => one.code === 0).length;
    const sum = this.scene.incidents.filter((one) => one.m[0][0] <= this.at && one.m[0][0] >= this.scene.since).length;
    this.said.textContent = this.t("said").replace("{open}", this.shown.length).replace("{loud}", loud).replace("{sum}", sum)
      + (this.scene.left_out ? ` · ${this.t("left_out").replace("{n}", this.scene.left_out)}` : "");
    this.slider.setAttribute("aria-valuetext", when);
  }

  format(at) {
    const lang = this.table.data.lang === "zh" ? "zh-CN" : "en-GB";
    return new Intl.DateTimeFormat(lang, { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false }).format(at);
  }

  dayOf(at) {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(at);
  }

  /** Once a second: what began to burn meanwhile stops the replay and says so; a visitor's mode ends it. */
  tick() {
    if (!this.on) return;
    if (this.table.visiting) {
      this.stop();
      return;
    }
    const fresh = this.loudNow().filter((alarm) => !this.known.has(alarm.id));
    if (!fresh.length) return;
    fresh.forEach((alarm) => this.known.add(alarm.id));
    this.play(false);
    const [alarm] = fresh;
    this.sign.replaceChildren(el("b", {}, this.t("interrupted")), el("span", {}, [alarm.k, alarm.p].filter(Boolean).join(" · ")),
      el("button", { type: "button", class: "sp-button", "data-act": "replay-now", onclick: () => this.stop() }, this.t("to_now")));
    this.sign.hidden = false;
  }

  // ---- the bar -----------------------------------------------------------------------------------------------------

  build() {
    const button = (key, onclick, more = {}) => el("button", { type: "button", class: "sp-button", onclick, "data-act": `replay-${key}`, ...more }, this.t(key));
    const choose = (key, values, value, name, onchange) => el("select", { class: "sp-button", "aria-label": this.t(key), "data-act": `replay-${key}`, onchange: (event) => onchange(Number(event.target.value)) },
      ...values.map((one) => el("option", { value: one, selected: one === value }, name(one))));
    this.day = el("input", { type: "date", class: "sp-button", "aria-label": this.t("day"), "data-act": "replay-day", onchange: () => { this.picked = this.day.value || null; this.load(this.picked); } });
    this.slider = el("input", { type: "range", step: 60_000, class: "sp-replay-slider", "aria-label": this.t("slider"), "data-act": "replay-slider", oninput: () => { this.play(false); this.seek(Number(this.slider.value)); } });
    this.bars = el("div", { class: "sp-replay-bars", "aria-hidden": "true" });
    this.said = el("span", { class: "sp-replay-said", role: "status" });
    this.playButton = button("play", () => this.play(!this.playing), { "aria-pressed": "false" });
    this.sign = el("div", { class: "sp-replay-sign", role: "alert", hidden: true });
    this.markTime = el("time", {});
    this.mark = el("div", { class: "sp-replay-mark", role: "note" }, el("b", {}, this.t("mark")), this.markTime, el("span", {}, this.t("not_now")));
    this.root = el("section", { class: "sp-replay", "aria-label": this.t("title") }, this.sign,
      el("div", { class: "sp-replay-time" }, this.bars, this.slider),
      el("div", { class: "sp-replay-row" }, this.day,
        choose("period", PERIODS, this.days, (n) => this.t("days").replace("{n}", n), (n) => { this.days = n; this.load(this.picked); }),
        this.playButton,
        choose("speed", SPEEDS, this.speed, (s) => this.t("speed_n").replace("{n}", s / 60), (s) => { this.speed = s; }),
        this.said, button("end", () => this.stop())));
    this.table.chrome.append(this.root, this.mark);
  }

  /** How many were reported when, behind the slider. */
  drawBars() {
    const { since, until, incidents } = this.scene;
    const counts = new Array(BARS).fill(0);
    for (const { m: [[at]] } of incidents) if (at >= since) counts[Math.min(BARS - 1, Math.floor(((at - since) / (until - since)) * BARS))] += 1;
    const most = Math.max(1, ...counts);
    this.bars.replaceChildren(...counts.map((count) => el("i", { style: `height:${count ? 20 + (80 * count) / most : 0}%` })));
  }

  // ---- on the table ------------------------------------------------------------------------------------------------

  place(viewport, rem, insets) {
    Object.assign(this, { viewport, rem, insets });
    this.draw();
  }

  draw() {
    const { canvas, context, viewport, rem } = this;
    if (!viewport) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(viewport.width * ratio), Math.round(viewport.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    if (!this.on || !this.scene) return;
    const boxes = [];
    for (const one of [...(this.shown || [])].sort((a, b) => a.code - b.code || b.m[0][0] - a.m[0][0])) {
      const calm = one.code ? 1 : 0;
      const foot = viewport.project([...one.at0, 0.3]);
      const top = viewport.project([...one.at0, COLUMN_M[calm]]);
      if (foot[2] >= 1 || top[2] >= 1) continue;
      context.strokeStyle = INK[calm];
      context.lineWidth = Math.max(1.5, rem / (calm ? 9 : 5));
      context.beginPath();
      CIRCLE.forEach(([u, v]) => {
        const [x, y] = viewport.project([...toLngLat(this.table.data.frame, [one.x[0] + u * RING_M * (calm ? 0.4 : 1), one.x[1] + v * RING_M * (calm ? 0.4 : 1)]), 0.3]);
        context.lineTo(x, y);
      });
      context.closePath();
      context.stroke();
      context.setLineDash([rem * 0.5, rem * 0.3]); // dashed, as nothing is that burns now
      context.beginPath();
      context.moveTo(foot[0], foot[1]);
      context.lineTo(top[0], top[1]);
      context.stroke();
      context.setLineDash([]);
      this.drawLabel(one, calm, top, boxes);
    }
  }

  drawLabel(one, calm, [x, y], boxes) {
    const { context, rem, insets, viewport } = this;
    const size = rem * (calm ? 0.8 : 1);
    const since = Math.max(0, Math.floor((this.at - one.m[0][0]) / 60_000));
    const clock = since >= 60 ? this.t("hours").replace("{h}", Math.floor(since / 60)).replace("{m}", since % 60) : this.t("minutes").replace("{m}", since);
    const words = [one.k, one.p, clock].filter(Boolean).join(" · ");
    context.font = `700 ${size.toFixed(1)}px ${FONT}`;
    const wide = context.measureText(words).width + size;
    const high = size * 1.6;
    const cx = Math.max(insets.left + wide / 2, Math.min(viewport.width - insets.right - wide / 2, x));
    for (const step of [0, -1, 1, -2, 2, -3, 3]) {
      const cy = y - high / 2 - step * high * 1.08;
      const box = { left: cx - wide / 2, right: cx + wide / 2, top: cy - high / 2, bottom: cy + high / 2 };
      if (box.top < insets.top || boxes.some((b) => box.left < b.right && box.right > b.left && box.top < b.bottom && box.bottom > b.top)) continue;
      boxes.push(box);
      context.beginPath();
      context.roundRect(box.left, box.top, wide, high, size * 0.3);
      context.fillStyle = PLATE[calm];
      context.fill();
      context.strokeStyle = INK[calm];
      context.lineWidth = Math.max(1, rem / 12);
      context.stroke();
      Object.assign(context, { textAlign: "center", textBaseline: "middle", fillStyle: calm ? "#d9d4ee" : "#ffffff" });
      context.fillText(words, cx, cy + size * 0.04);
      return;
    }
  }

  close() {
    cancelAnimationFrame(this.timer);
    document.body.classList.remove("shapan-replaying");
  }
}
