// The wall's end of the line: shows the code, obeys the tablet, tells what was selected here, hears what was elsewhere.
import { Channel } from "./channel.js";
import { el } from "../hud.js";

const KINDS = ["second", "desk", "tablet"];
const MOST_VIEWS = 20;
const STOREY_M = 3; // as the façades draw them

export class WallSurfaces {
  constructor(table) {
    Object.assign(this, { table, views: [], dialog: null });
    this.channel = new Channel("wall", { onState: (state) => this.showState(state), onSay: (topic, value, how) => this.hear(topic, value, how) });
  }

  t(key) {
    return this.table.data.strings[`surfaces.${key}`] ?? "";
  }

  start() {
    this.channel.start();
  }

  close() {
    this.dialog?.remove();
    clearInterval(this.counting);
    this.channel.close();
  }

  // ---- what the wall says ------------------------------------------------------------------------------------------

  /** Something was selected here, or nothing any more; what a visitor's mode hides is no choice of anybody's. */
  selected(picked) {
    if (this.table.visiting || picked?.kind === "hot") return;
    this.channel.say("select", picked ? { kind: picked.kind, id: picked.id } : null);
  }

  switched() {
    const layers = this.table.data.switches.map((one) => [one.id, this.table.isOn(one.id)]);
    this.channel.say("switches", Object.fromEntries([...layers, ["visiting", this.table.visiting]]));
  }

  // ---- what it hears -----------------------------------------------------------------------------------------------

  hear(topic, value, { first }) {
    const { table } = this;
    if (topic === "select") this.follow(value, first);
    else if (topic === "floor") this.lightFloor(value);
    else if (topic === "colour") table.opened?.setColour(value, true);
    else if (first) return;
    else if (topic === "camera") this.move(value);
    else if (topic === "layers") {
      for (const [id, on] of Object.entries(value)) if (table.data.switches.some((one) => one.id === id) && table.isOn(id) !== on) table.toggle(id);
      this.switched();
    }
  }

  /** A selection that was made elsewhere: the page selects it as if it had been clicked, and flies there. */
  follow(picked, first) {
    const { table } = this;
    const same = (table.selected?.kind ?? null) === (picked?.kind ?? null) && (table.selected?.id ?? null) === (picked?.id ?? null);
    if (same) return;
    table.rest.touch();
    if (!first) this.keepView();
    table.component.setTriggerValue("picked", picked ? { ...picked, fly: !first } : { kind: "nothing", id: "" });
  }

  /** A storey that was chosen elsewhere is lit on the building that is selected here. */
  lightFloor(floor) {
    const { table } = this;
    const { selected } = table;
    if (floor && table.opened?.id === floor.building) {
      table.opened.setLevel(floor.level, true);
      return;
    }
    if (!floor || !selected?.outline || selected.kind === "unit" || (selected.kind === "building" && selected.id !== floor.building)) return;
    const low = Math.max(0.4, (floor.level > 0 ? floor.level - 1 : 0) * STOREY_M);
    table.selected = { ...selected, outline: { ...selected.outline, floor: low, top: low + STOREY_M } };
    table.refresh();
  }

  move(order) {
    const { table } = this;
    const actions = table.actions();
    table.rest.touch();
    if (order === "back") {
      const before = this.views.pop();
      if (before) table.camera.go(before);
      return;
    }
    this.keepView();
    const [scale, n] = order.split("-");
    if (scale === "scale") actions.scale(Number(n));
    else if (order === "closer" || order === "farther") table.camera.go({ ...table.camera.now, zoom: table.camera.now.zoom + (order === "closer" ? 0.8 : -0.8) }, 400);
    else if (order === "fly") this.flyToSelected();
    else actions[order]?.();
  }

  flyToSelected() {
    const rings = this.table.selected?.outline?.rings;
    if (!rings?.length) return;
    const points = rings.flat();
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const middle = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
    const radius = Math.max(40, Math.hypot(Math.max(...xs) - middle[0], Math.max(...ys) - middle[1]) * 1.6);
    this.table.flyTo({ x: middle, radius });
  }

  keepView() {
    this.views = [...this.views, this.table.camera.now].slice(-MOST_VIEWS);
  }

  // ---- the code ----------------------------------------------------------------------------------------------------

  showState({ paired, online, members }) {
    const { button } = this;
    const here = KINDS.reduce((sum, kind) => sum + (members[kind] || 0), 0);
    this.here = here;
    if (paired && online) this.switched();
    const node = this.table.hud.parts.pair;
    if (node) {
      node.dataset.on = paired && here ? "yes" : "no";
      node.textContent = paired && here ? this.t("paired_n").replace("{n}", here) : this.t("pair");
    }
    if (this.dialog) this.showMembers(members);
    return button;
  }

  async open() {
    if (this.dialog) return;
    this.code = el("strong", { class: "sf-digits", "data-code": "" }, "······");
    this.left = el("small", {});
    this.members = el("ul", { class: "sf-members" });
    const shut = () => {
      clearInterval(this.counting);
      this.dialog?.remove();
      this.dialog = null;
    };
    const button = (key, act, more = {}) => el("button", { type: "button", class: "sp-button", onclick: act, ...more }, this.t(key));
    this.dialog = el("div", { class: "sp-veil sf-veil", onclick: (event) => event.target === this.dialog && shut() },
      el("section", { class: "sp-dialog sf-dialog", role: "dialog", "aria-modal": "true", "aria-label": this.t("pair_title") },
        el("h2", {}, this.t("pair_title")),
        el("p", {}, this.t("pair_how").replace("{second}", `${location.host}/second`).replace("{tablet}", `${location.host}/tablet`)),
        this.code, this.left, this.members,
        el("p", { class: "sp-note" }, this.t("pair_rights")),
        el("div", { class: "sf-row" },
          button("new_code", () => this.renew(), { "data-pair": "new" }),
          button("unpair_all", () => this.channel.leave(), { "data-pair": "leave" }),
          button("close", shut, { "data-pair": "close" }))));
    this.table.chrome.append(this.dialog);
    this.showMembers(this.channel.members);
    await this.renew();
  }

  async renew() {
    clearInterval(this.counting);
    try {
      const { code, seconds } = await this.channel.showCode();
      const ends = performance.now() + seconds * 1000;
      this.code.textContent = `${code.slice(0, 3)} ${code.slice(3)}`;
      this.code.dataset.code = code;
      const count = () => {
        const rest = Math.ceil((ends - performance.now()) / 1000);
        this.left.textContent = rest > 0 ? this.t("code_lasts").replace("{s}", rest) : this.t("code_over");
        if (rest <= 0) this.blank();
      };
      this.counting = setInterval(count, 500);
      count();
    } catch {
      this.left.textContent = this.t("code_failed");
    }
  }

  blank() {
    clearInterval(this.counting);
    this.code.textContent = "······";
    this.code.dataset.code = "";
  }

  showMembers(members) {
    const now = KINDS.reduce((sum, kind) => sum + (members[kind] || 0), 0);
    if (this.before !== undefined && now > this.before && this.code?.dataset.code) {
      this.blank(); // a code is for one device: it has just been used
      this.left.textContent = this.t("code_used");
    }
    this.before = now;
    this.members.replaceChildren(...KINDS.map((kind) => el("li", { "data-kind": kind, "data-on": members[kind] ? "yes" : "no" },
      el("span", {}, this.t(`kind_${kind}`)), el("b", {}, String(members[kind] || 0)))));
  }
}
