// The second screen: whatever is selected on the table, from inside.
import { Inside } from "../inside/inside.js";
import { SitePlan, buildPurpose } from "../inside/site_plan.js";
import { Channel, buildHead, buildWelcome, data, el, fetchScene, fetchSitePlan, fetchUnit, root, sendPurpose, t } from "./page.js";

const TABLES = ["units", "rentals", "buildings", "floors", "entrances", "incidents", "tasks", "verdicts", "plan_rooms", "register_checks"];
const AGAIN_MS = 300;

class Second {
  constructor() {
    this.selected = null;
    this.channel = new Channel("second", { onState: (state) => this.showState(state), onSay: (topic, value) => this.hear(topic, value) });
    this.stage = el("div", { class: "in-stage" });
    this.inside = new Inside(this.stage, {
      t,
      onUnit: (id) => this.choose({ kind: "unit", id }),
      onFloor: (level) => this.chooseFloor(level),
      findPanel: (id) => fetchUnit(id),
      onColour: (name) => {
        this.inside.selectColour(name);
        this.channel.say("colour", name);
      },
    });
    this.site = el("div", { hidden: true });
    this.asking = el("div", { class: "sp-asking", hidden: true });
    this.plan = new SitePlan(this.site, { t, onRoom: (part) => this.findWay(part), onInside: () => this.showSite(null) });
    this.note = el("p", { class: "sf-nothing" });
    this.events();
    this.channel.start();
    window.shapanSecond = this; // the handle for tests
  }

  /** The register changed: what is shown is asked for again. */
  events() {
    const source = new EventSource("/events");
    source.addEventListener("revisions", (event) => {
      const changed = Object.keys(JSON.parse(event.data));
      if (this.building && changed.some((table) => TABLES.includes(table))) this.loadAgain();
    });
  }

  /** Soon, and once for all that came in meanwhile. */
  loadAgain() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.building && this.load({ building: this.building }, { unit: this.inside.unit, level: this.inside.level }), AGAIN_MS);
  }

  showState(state) {
    this.state = state;
    if (!state.paired) {
      if (!this.waiting || this.waiting !== (state.why ?? "new")) root.replaceChildren(buildWelcome("second", this.channel, state.why));
      this.waiting = state.why ?? "new";
      return;
    }
    this.waiting = null;
    root.replaceChildren(buildHead(this.channel, state), this.stage, this.asking, this.site, this.note);
    this.inside.draw();
    this.showNote();
  }

  async hear(topic, value) {
    if (topic === "select") await this.follow(value);
    if (topic === "colour") this.inside.selectColour(value);
    if (topic === "switches") this.inside.setVisiting(Boolean(value?.visiting));
    if (topic === "floor" && value && value.building === this.building) this.inside.selectLevel(value.level);
  }

  async follow(picked) {
    this.selected = picked;
    this.showSite(null);
    const asked = picked && (await this.ask(picked));
    if (this.selected !== picked) return; // another was chosen meanwhile
    if (!asked) {
      this.clear(picked ? t(`surfaces.no_inside_${picked.kind === "grid" ? "grid" : "place"}`) : undefined);
      return;
    }
    const unit = picked.kind === "unit" ? picked.id : null;
    const isHere = this.inside.record && (unit ? this.inside.findUnit(unit) : asked.building === this.building);
    if (!isHere) await this.load(asked, { unit });
    else if (unit) this.inside.selectUnit(unit);
    this.showNote();
    if (picked.kind === "site") await this.openSite(picked);
  }

  /** A key site's floor plan over its section; a school's after its purpose. */
  async openSite(picked) {
    const { plan, kind } = await fetchSitePlan(picked.id);
    if (this.selected !== picked) return;
    if (plan) this.showSite(plan);
    else if (kind === "PurposeNeededError") this.askPurpose(picked);
  }

  async findWay(part) {
    const { id } = this.plan.plan;
    const { plan } = await fetchSitePlan(id, part);
    if (plan && this.plan.plan?.id === id) this.showSite(plan);
  }

  askPurpose(picked) {
    const form = buildPurpose(t, async (reason) => {
      const kind = await sendPurpose(picked.id, reason);
      if (!kind && this.selected === picked) await this.openSite(picked);
      return kind;
    });
    const back = el("button", { type: "button", class: "sf-button sf-small", onclick: () => this.showSite(null) }, t("inside.to_section"));
    this.asking.replaceChildren(form, back);
    this.asking.hidden = false;
    this.showStage();
  }

  /** One of them at a time: section and storey, a floor plan, or what it is asked for. */
  showStage() {
    this.stage.hidden = Boolean(this.note.textContent) || !this.site.hidden || !this.asking.hidden;
  }

  showSite(plan) {
    this.plan.plan = plan;
    this.site.hidden = !plan;
    this.asking.hidden = true;
    this.showStage();
    if (plan) this.plan.show(plan);
    else this.inside.draw();
  }

  /** What the inside of something selected is asked by; null for what has none. */
  async ask({ kind, id }) {
    if (kind === "building" || kind === "unit") return { [kind]: id };
    if (kind !== "site") return null;
    this.directory ??= await fetchScene("directory");
    const building = this.directory.sites.find((site) => site.id === id)?.b;
    return building ? { building } : null;
  }

  async load(asked, { unit = null, level = null } = {}) {
    try {
      const record = await fetchScene("inside", asked);
      this.building = record.id;
      this.inside.show(record, { unit, level });
    } catch {
      this.clear(t("surfaces.gone"));
    }
  }

  clear(text) {
    this.building = null;
    this.inside.show(null);
    this.showNote(text);
  }

  choose(picked) {
    this.selected = picked;
    this.inside.selectUnit(picked.id);
    this.channel.say("select", picked);
    if (this.inside.level !== null) this.channel.say("floor", { building: this.building, level: this.inside.level });
  }

  chooseFloor(level) {
    this.inside.selectLevel(level);
    this.channel.say("floor", { building: this.building, level });
  }

  showNote(text = this.building ? "" : t("surfaces.nothing_selected")) {
    this.note.textContent = text;
    this.note.hidden = !text;
    this.showStage();
    document.title = this.inside.record?.name ? `${this.inside.record.name} · ${data.community.name}` : t("surfaces.second_title");
    if (!text) this.inside.draw();
  }
}

new Second();
