// What both plain pages have: their data, the catalogue, and words that tell how it stands with the pairing.
import { Channel, buildJoin } from "./channel.js";
import { el } from "../hud.js";

export const root = document.getElementById("surface");
export const data = JSON.parse(root.dataset.page);

/** A text of the catalogue, its {places} filled. */
export function t(key, values = {}) {
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), data.strings[key] ?? key);
}

export async function fetchScene(name, params = {}) {
  const answer = await fetch(`/scene/${name}.json?${new URLSearchParams({ lang: data.lang, ...params })}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** What is known of one home, in words (server/unit_panel.py). */
export async function fetchUnit(id) {
  const answer = await fetch(`/unit/${encodeURIComponent(id)}.json?lang=${data.lang}`, { credentials: "same-origin", cache: "no-store" });
  return answer.ok ? answer.json() : null;
}

/** A key site's floor plan (server/site_plan.py), with the way to part `to`; {plan, kind}: kind says why there is none. */
export async function fetchSitePlan(id, to = null) {
  const query = to === null ? "" : `?to=${to}`;
  const answer = await fetch(`/site/${encodeURIComponent(id)}.json${query}`, { credentials: "same-origin", cache: "no-store" });
  const value = await answer.json().catch(() => ({}));
  return answer.ok ? { plan: value.plan } : { plan: null, kind: value.error?.kind };
}

/** Say what a school's plan is needed for; gives the kind of the error, or nothing. */
export async function sendPurpose(id, reason) {
  const answer = await fetch(`/site/${encodeURIComponent(id)}/purpose`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ reason }), credentials: "same-origin",
  });
  return answer.ok ? null : (await answer.json().catch(() => ({}))).error?.kind ?? "Failed";
}

/** The first page of a device: what it is for, why it is not paired (any more), and the field for the code. */
export function buildWelcome(surface, channel, why) {
  const { form, code } = buildJoin({ channel, t, el });
  setTimeout(() => code.focus());
  return el("section", { class: "sf-welcome" },
    el("h1", {}, t(`surfaces.${surface}_title`)),
    why ? el("p", { class: "sf-why", role: "status" }, t(`surfaces.why_${why}`)) : null,
    el("p", {}, t(`surfaces.${surface}_what`)), el("p", {}, t("surfaces.join_how")), form,
    el("p", { class: "sf-foot" }, el("a", { href: data.other }, t("surfaces.other_language"))));
}

/** The line at the top: whose community, synthetic or not, whether the wall is there, and the way out. */
export function buildHead(channel, { online, members }) {
  const there = online && members.wall > 0;
  return el("header", { class: "sf-head" },
    el("strong", {}, data.community.name),
    data.community.drill ? el("strong", { class: "sf-drill", role: "note" }, t("surfaces.drill")) : null,
    data.community.synthetic ? el("span", { class: "sf-synthetic", role: "note" }, t("surfaces.synthetic")) : null,
    el("span", { class: "sf-fill" }),
    el("span", { class: "sf-online", "data-on": there ? "yes" : "no" }, t(there ? "surfaces.with_wall" : online ? "surfaces.wall_away" : "surfaces.line_lost")),
    el("a", { class: "sf-button sf-small", href: data.other }, t("surfaces.other_language")),
    el("button", { class: "sf-button sf-small", type: "button", "data-act": "leave", onclick: () => channel.leave() }, t("surfaces.leave")));
}

export { Channel, el };
