// From an alarm to who, what to say, which gate is open and what worked here last time: by the number pad, or by touch.
import { el } from "./hud.js";

const STATES = ["sent", "accepted", "on_the_way"];
const REFUSED = { needs_reason: "reason", reason: "reason", busy: "busy", meanwhile: "meanwhile" };

export class AlarmPanel {
  /** `fill(key, values)` is the catalogue; `act`: close(), lang(), clock(alarm). */
  constructor(root, fill, act) {
    Object.assign(this, { root, fill, act, alarm: null, told: null, row: 0, note: "", asked: 0 });
    root.hidden = true;
  }

  get isOpen() {
    return this.alarm !== null;
  }

  async open(alarm) {
    Object.assign(this, { alarm, told: null, row: 0, note: "" });
    this.show();
    await this.ask();
  }

  close() {
    Object.assign(this, { alarm: null, told: null });
    this.show();
  }

  url() {
    return `/alarm/${encodeURIComponent(this.alarm.id)}.json?lang=${this.act.lang()}`;
  }

  /** Reckon anew: when it opens, and when somebody was sent or moved. */
  async ask() {
    if (!this.alarm) return;
    const number = (this.asked += 1);
    const answer = await fetch(this.url(), { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (number !== this.asked || !this.alarm) return;
    const before = this.told?.who?.[this.row]?.id;
    this.told = answer?.ok ? await answer.json() : { problem: answer?.status === 403 ? "hidden" : "lost", sent: [] };
    this.row = Math.max(0, this.told.who?.findIndex((one) => one.id === before) ?? 0);
    this.show();
  }

  choose(number) {
    if (!this.told?.who?.[number]) return;
    Object.assign(this, { row: number, note: "" });
    this.show();
  }

  stateOf(one) {
    return this.told.sent.find((sent) => sent.id === one.id)?.state ?? null;
  }

  /** The one key: sent by voice, then accepted, then on scene. */
  async record() {
    const one = this.told?.who?.[this.row];
    if (!one || this.stateOf(one) === "on_scene") return;
    const answer = await fetch(this.url(), {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ responder_id: one.id }),
    }).catch(() => null);
    if (!answer) this.note = this.fill("alarms.problem_lost");
    else if (answer.status === 403) this.note = this.fill("alarms.do_denied");
    else if (!answer.ok) this.note = this.fill(`alarms.refused_${REFUSED[(await answer.json()).error?.code] ?? "other"}`);
    else this.note = "";
    await this.ask();
  }

  show() {
    const { alarm, told, root } = this;
    root.hidden = !alarm;
    document.body.classList.toggle("shapan-alarm-open", Boolean(alarm));
    if (!alarm) return;
    root.replaceChildren(
      el("header", {},
        el("h2", {}, [alarm.k, alarm.p].filter(Boolean).join(" · ")),
        (this.clock = el("time", {})),
        told?.verified === false ? el("span", { class: "sp-panel-warn" }, this.fill("alarms.unverified")) : "",
        el("span", { class: "sp-fill" }),
        el("small", {}, this.fill("alarms.keys_panel")),
        el("button", { type: "button", class: "sp-button", "data-act": "panel-close", title: this.fill("alarms.panel_close"), "aria-label": this.fill("alarms.panel_close"), onclick: () => this.act.close() }, "0 ×")),
      told ? told.problem ? el("p", { class: "sp-panel-problem" }, this.fill(`alarms.problem_${told.problem}`)) : this.buildBody(told) : el("p", {}, this.fill("alarms.panel_wait")),
    );
    this.tick();
  }

  tick() {
    if (this.clock && this.alarm) this.clock.textContent = this.act.clock(this.alarm);
  }

  buildBody(told) {
    const one = told.who[this.row];
    return el("div", { class: "sp-panel-body" },
      el("section", { class: "sp-panel-who" }, el("h3", {}, this.fill("alarms.who")),
        told.who.length ? el("ol", {}, ...told.who.map((row, i) => this.buildRow(row, i))) : el("p", {}, this.fill("alarms.nobody")),
        el("small", {}, this.fill("alarms.who_note", { can: told.can, left_out: told.left_out }))),
      el("section", { class: "sp-panel-say" }, el("h3", {}, this.fill("alarms.say"), one?.channel ? el("em", {}, this.fill("alarms.channel", { channel: one.channel })) : ""),
        one ? el("blockquote", {}, one.say) : "",
        one ? el("small", {}, one.by.length ? this.fill("alarms.way_by", { gates: one.by.map((gate) => gate.name).filter(Boolean).join(" → ") }) : this.fill("alarms.way_free"), ...one.notes.map((note) => ` · ${note}`)) : "",
        one ? this.buildKey(one) : "",
        this.note ? el("p", { class: "sp-panel-warn", role: "alert" }, this.note) : ""),
      el("section", {}, el("h3", {}, this.fill("alarms.gates")),
        told.gates.length ? el("ul", {}, ...told.gates.map((gate) => this.buildGate(gate))) : el("p", {}, this.fill("alarms.gate_none"))),
      el("section", {}, el("h3", {}, this.fill("alarms.earlier")),
        told.earlier.length ? el("ul", {}, ...told.earlier.map((past) => this.buildPast(past))) : el("p", {}, this.fill("alarms.earlier_none"))));
  }

  buildRow(row, i) {
    const state = this.stateOf(row);
    return el("li", {}, el("button", { type: "button", "data-row": i + 1, "data-responder": row.id, "aria-current": i === this.row ? "true" : null, onclick: () => this.choose(i) },
      el("kbd", {}, String(i + 1)),
      el("b", {}, row.call_sign, el("small", {}, row.kind)),
      state ? el("span", { class: "sp-panel-sent", "data-state": state }, this.fill(`alarms.sent_${state}`)) : "",
      el("time", {}, row.travel_s === null ? this.fill("alarms.no_way") : this.fill("alarms.minutes", { minutes: Math.max(1, Math.ceil(row.travel_s / 60)) }))));
  }

  buildKey(one) {
    const state = this.stateOf(one);
    const key = state === null ? "do_send" : state === "sent" ? "do_accept" : STATES.includes(state) ? "do_arrive" : "do_none";
    return el("button", { type: "button", class: "sp-button sp-panel-do", "data-act": "record", "data-state": state ?? "none", disabled: key === "do_none", onclick: () => this.record() }, this.fill(`alarms.${key}`, { call_sign: one.call_sign }));
  }

  buildGate(gate) {
    const state = gate.open === null ? "unknown" : gate.open ? "open" : "shut";
    return el("li", {}, el("b", { class: "sp-panel-gate", "data-gate": state }, this.fill(`alarms.gate_${state}`)), ` ${gate.name} `,
      el("small", {}, [gate.hours && this.fill("alarms.gate_hours", { hours: gate.hours }), `${gate.away_m} m`].filter(Boolean).join(" · ")));
  }

  /** How long something took, in words: as a clock's face it would be read as a time of day. */
  sayTook(minutes) {
    const hours = Math.floor(minutes / 60);
    if (hours >= 24) return this.fill("alarms.days", { days: Math.floor(hours / 24), hours: hours % 24 });
    return hours ? this.fill("alarms.hours_minutes", { hours, minutes: minutes % 60 }) : this.fill("alarms.minutes", { minutes });
  }

  buildPast(past) {
    const day = new Intl.DateTimeFormat(this.act.lang() === "zh" ? "zh-CN" : "en-GB", { timeZone: "Asia/Shanghai", dateStyle: "medium" }).format(past.at);
    const took = past.minutes === null ? this.fill("alarms.earlier_open") : this.fill("alarms.earlier_minutes", { time: this.sayTook(past.minutes) });
    return el("li", {}, el("b", {}, past.outcome ?? "–"), ` ${past.kind} `, el("small", {}, `${day} · ${took}`));
  }
}
