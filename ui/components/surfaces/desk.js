// The desk's end of the line, on the desk page: a field for the code, then a line that tells how it stands.
import { Channel, buildJoin } from "./channel.js";
import { el } from "../hud.js";

const links = new WeakMap();

/** Called by Streamlit when the component appears and whenever its data change. */
export function render(component) {
  const host = component.parentElement.querySelector(".sf-desk");
  let link = links.get(host);
  if (link) link.update(component);
  else {
    link = new DeskLink(host, component);
    links.set(host, link);
  }
  link.leaving = false;
  return () => {
    link.leaving = true;
    setTimeout(() => link.leaving && (links.delete(host), link.channel.close()), 500);
  };
}

class DeskLink {
  constructor(host, component) {
    Object.assign(this, { host, component, heard: undefined });
    this.channel = new Channel("desk", { onState: (state) => this.draw(state), onSay: (topic, value) => topic === "select" && this.follow(value) });
    this.channel.start();
  }

  t(key) {
    return this.component.data.strings[key] ?? "";
  }

  update(component) {
    const before = this.component.data;
    this.component = component;
    if (before.lang !== component.data.lang) this.draw(this.channel);
    const { selected } = component.data;
    if (JSON.stringify(before.selected) !== JSON.stringify(selected) && selected && JSON.stringify(this.heard) !== JSON.stringify(selected)) this.channel.say("select", selected);
  }

  follow(picked) {
    this.heard = picked;
    if (picked && JSON.stringify(picked) !== JSON.stringify(this.component.data.selected)) this.component.setTriggerValue("picked", picked);
  }

  draw({ paired, why, online, members }) {
    const t = (key) => this.t(key);
    const key = JSON.stringify([paired, why, online, members?.wall, this.component.data.lang]);
    if (key === this.drawn) return; // what is being typed stays
    this.drawn = key;
    if (!paired) {
      const { form } = buildJoin({ channel: this.channel, t, el });
      this.host.replaceChildren(el("details", { open: Boolean(why) }, el("summary", {}, t("surfaces.desk_title")),
        why ? el("p", { class: "sf-why", role: "status" }, t(`surfaces.why_${why}`)) : null, el("p", {}, t("surfaces.desk_what")), form));
      return;
    }
    const there = online && members.wall > 0;
    this.host.replaceChildren(el("p", { class: "sf-line", "data-on": there ? "yes" : "no", role: "status" },
      el("span", {}, t(there ? "surfaces.desk_paired" : online ? "surfaces.wall_away" : "surfaces.line_lost")),
      el("button", { type: "button", class: "sf-button", "data-act": "show", onclick: () => this.component.data.selected && this.channel.say("select", this.component.data.selected) }, t("surfaces.desk_show")),
      el("button", { type: "button", class: "sf-button", "data-act": "leave", onclick: () => this.channel.leave() }, t("surfaces.leave"))));
  }
}
