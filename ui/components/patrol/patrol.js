// Routes of one or two plans under one clock. The server says lines and times; where somebody is between two of them
// is reckoned here, at an even pace along the line.
const boards = new WeakMap();
const PLAY_S = 30; // a shift takes so long when it is played

/** Called by Streamlit when the component appears and whenever its data change. */
export default function (component) {
  const host = component.parentElement.querySelector(".pt-patrol");
  let board = boards.get(host);
  if (!board) boards.set(host, (board = new Board(host)));
  board.update(component);
  window.shapanPatrol = board; // the handle for tests
  return () => board.stop();
}

const node = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const shape = (tag, attributes = {}, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
};
const clock = (minutes) => {
  const at = ((Math.round(minutes) % 1440) + 1440) % 1440;
  return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
};

/** Where a team is at a minute of the shift's clock: [x, y, stop or null]. */
export function locate(team, minute) {
  let at = team.start;
  for (const stop of team.stops) {
    if (minute < stop.out) return [...at, null];
    if (minute < stop.arrival) return [...along(stop.line, (minute - stop.out) / (stop.arrival - stop.out), at, stop.at), null];
    if (minute < stop.leave) return [...stop.at, stop];
    at = stop.at;
  }
  const last = team.stops.at(-1);
  if (last && team.back.length > 1 && minute < team.home) return [...along(team.back, (minute - last.leave) / (team.home - last.leave), at, team.start), null];
  return [...(last && minute >= team.home ? team.start : at), null];
}

function along(line, share, from, to) {
  const points = line.length > 1 ? line : [from, to];
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
  let left = lengths.reduce((sum, one) => sum + one, 0) * Math.min(1, Math.max(0, share));
  for (const [i, length] of lengths.entries()) {
    if (left <= length && length > 0) {
      const part = left / length;
      return [points[i][0] + part * (points[i + 1][0] - points[i][0]), points[i][1] + part * (points[i + 1][1] - points[i][1])];
    }
    left -= length;
  }
  return points.at(-1);
}

class Board {
  constructor(host) {
    this.host = host;
    this.panes = node("div", { class: "pt-panes" });
    this.slider = node("input", { type: "range", step: "1", class: "pt-slider" });
    this.label = node("output", { class: "pt-clock", "aria-live": "off" });
    this.button = node("button", { type: "button", class: "pt-play" });
    this.key = node("div", { class: "pt-key" });
    host.append(this.key, this.panes, node("div", { class: "pt-bar" }, this.button, this.label, this.slider));
    this.slider.oninput = () => this.show(Number(this.slider.value));
    this.button.onclick = () => (this.timer ? this.stop() : this.play());
  }

  update({ data, setTriggerValue }) {
    this.pick = (id) => setTriggerValue("picked", id);
    if (this.print === data.print) return;
    this.stop();
    const isSame = this.data && this.data.begin === data.begin && this.data.end === data.end;
    const minute = isSame ? this.minute : data.begin;
    Object.assign(this, { data, print: data.print });
    Object.assign(this.slider, { min: data.begin, max: data.end });
    this.slider.setAttribute("aria-label", data.words.clock);
    this.button.textContent = data.words.play;
    this.panes.dataset.panes = data.panes.length;
    this.teams = [];
    this.panes.replaceChildren(...data.panes.map((pane) => this.draw(pane)));
    this.key.replaceChildren(...data.panes[0].teams.map((team) => this.drawKey(team)));
    this.show(minute);
  }

  drawKey(team) {
    const dot = node("i", { style: `background:${team.colour}` });
    return node("span", {}, dot, `${team.number} ${team.name}`);
  }

  draw(pane) {
    const root = shape("svg", { class: "pt-map", viewBox: pane.box, role: "img", "aria-label": pane.title, style: `--u:${this.data.unit}` });
    root.innerHTML = this.data.ground;
    for (const team of pane.teams) root.append(...this.drawTeam(team));
    for (const one of pane.left) root.append(this.drawLeft(one));
    for (const one of pane.places) root.append(...this.drawName(one));
    for (const team of pane.teams) {
      const mark = shape("g", { class: "pt-mark" });
      mark.append(shape("circle", { r: 13 * this.data.unit, fill: team.colour }), shape("text", {}, String(team.number)));
      root.append(mark);
      this.teams.push({ team, mark });
    }
    return node("figure", {}, node("figcaption", {}, pane.title), root);
  }

  drawTeam(team) {
    const lines = [...team.stops.map((stop) => stop.line), team.back].filter((line) => line.length > 1);
    const parts = lines.map((line) => shape("polyline", { class: "pt-way", points: line.map((p) => p.join(",")).join(" "), stroke: team.colour }));
    for (const stop of team.stops) {
      const [x, y] = stop.at;
      const group = shape("g", { class: "pt-stop", tabindex: "0", role: "button", "data-stop": stop.id });
      group.append(
        shape("title", {}, `${team.number} · ${stop.name} · ${clock(stop.begin)}–${clock(stop.leave)}`),
        shape("circle", { cx: x, cy: y, r: 7 * this.data.unit, stroke: team.colour, class: stop.locked ? "on" : "" }),
      );
      group.onclick = () => this.pick(stop.id);
      group.onkeydown = (event) => event.key === "Enter" && this.pick(stop.id);
      parts.push(group);
    }
    return parts;
  }

  drawName(one) {
    const [x, y] = one.at;
    const u = this.data.unit;
    return [[one.name, -13], [one.times, 21]].map(([said, down]) => shape("text", { class: "pt-name", x, y: y + down * u }, said));
  }

  drawLeft(one) {
    const group = shape("g", { class: "pt-left" });
    const r = 6 * this.data.unit;
    const [x, y] = one.at;
    group.append(shape("title", {}, one.name), shape("path", { d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}` }));
    return group;
  }

  show(minute) {
    this.minute = minute;
    this.slider.value = minute;
    this.label.textContent = clock(minute);
    for (const { team, mark } of this.teams) {
      const [x, y, stop] = locate(team, minute);
      mark.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      mark.classList.toggle("there", stop !== null);
      mark.classList.toggle("off", minute < team.from || minute > team.to);
    }
  }

  play() {
    this.button.textContent = this.data.words.pause;
    if (this.minute >= this.data.end) this.show(this.data.begin);
    const from = this.minute;
    const began = performance.now();
    const pace = (this.data.end - this.data.begin) / (PLAY_S * 1000);
    const step = (now) => {
      const minute = from + (now - began) * pace;
      if (minute >= this.data.end) {
        this.show(this.data.end);
        return this.stop();
      }
      this.show(minute);
      this.timer = requestAnimationFrame(step);
    };
    this.timer = requestAnimationFrame(step);
  }

  stop() {
    if (this.timer) cancelAnimationFrame(this.timer);
    this.timer = 0;
    if (this.data) this.button.textContent = this.data.words.play;
  }
}
