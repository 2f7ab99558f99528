// The form for taking calls. Enter goes on: address, kind (two keys), what was said, done. Everything else has its place
// for the mouse or Tab. Nothing is sent but by `save`, and the key of a form is sent with it, so that a second press
// takes nothing in twice.

const WAIT_MS = 90; // after the last key, before the address is looked up
const SURE = 0.9;
const LIKELY = 0.6;
const ORDER = "1234567890abcdefghijklmnopqrstuvwxyz?"; // of the keys, as they lie on the keyboard

export default function render({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".sh-intake");
  if (root.dataset.lang === data.lang) {
    root.form.update(data);
    return;
  }
  root.dataset.lang = data.lang;
  root.replaceChildren();
  root.form = new Form(root, data, (id) => setTriggerValue("open", id));
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

class Form {
  constructor(root, data, open) {
    this.root = root;
    this.open = open;
    this.update(data);
    this.build();
    this.reset();
  }

  update(data) {
    this.data = data;
    data.kinds.sort((a, b) => ORDER.indexOf(a.key ?? "?") - ORDER.indexOf(b.key ?? "?"));
    this.byCode = new Map(data.kinds.map((kind) => [kind.code, kind]));
    const hasBelow = new Set(data.kinds.map((kind) => kind.parent));
    const leaves = data.kinds.filter((kind) => !hasBelow.has(kind.code));
    const overLeaves = new Set(leaves.map((kind) => kind.parent));
    this.groups = data.kinds.filter(
      (kind) => overLeaves.has(kind.code) || (!hasBelow.has(kind.code) && !this.byCode.has(kind.parent)),
    );
  }

  t(name, values = {}) {
    let text = this.data.strings[`intake.${name}`] ?? name;
    for (const [key, value] of Object.entries(values)) text = text.replaceAll(`{${key}}`, value);
    return text;
  }

  // Building

  field(name, element, hint = null) {
    const id = `sh-in-${name}`;
    element.id = id;
    return make("div", { class: `sh-in-field sh-in-${name}` }, make("label", { for: id }, this.t(name)), element, hint);
  }

  input(name, more = {}) {
    return make("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "200", ...more });
  }

  build() {
    this.address = this.input("address", {
      role: "combobox", "aria-expanded": "false", "aria-controls": "sh-in-options", "aria-autocomplete": "list",
      placeholder: this.t("address_hint"),
    });
    this.options = make("div", { id: "sh-in-options", class: "sh-in-options", role: "listbox", "aria-label": this.t("options") });
    this.kind = this.input("kind", { placeholder: this.t("kind_hint"), inputmode: "numeric", "aria-describedby": "sh-in-kinds" });
    this.kinds = make("div", { id: "sh-in-kinds", class: "sh-in-kinds" });
    this.words = make("textarea", { rows: "2", maxlength: "4000", placeholder: this.t("words_hint") });
    this.urgency = make("select", {}, ...["urgent", "normal", "not_police"].map((code) => make("option", { value: code }, this.t(`urgency_${code}`))));
    this.source = make("select", {}, ...["call", "counter", "app", "police_found"].map((code) => make("option", { value: code }, this.t(`source_${code}`))));
    this.callerName = this.input("caller_name");
    this.callerPhone = this.input("caller_phone", { inputmode: "tel" });
    this.callerAddress = this.input("caller_address", { placeholder: this.t("caller_address_hint") });
    this.time = make("input", { type: "datetime-local", step: "1" });
    this.problem = make("p", { class: "sh-in-problem", role: "alert" });
    this.button = make("button", { type: "submit", class: "sh-in-save" }, this.t("save"));
    this.form = make(
      "form", { class: "sh-in-form", autocomplete: "off" },
      this.field("address", this.address, this.options),
      this.field("kind", this.kind, this.kinds),
      this.field("words", this.words),
      make("div", { class: "sh-in-row" }, this.field("urgency", this.urgency), this.field("source", this.source), this.field("time", this.time)),
      make("fieldset", {}, make("legend", {}, this.t("caller")),
        make("div", { class: "sh-in-row" }, this.field("caller_name", this.callerName), this.field("caller_phone", this.callerPhone), this.field("caller_address", this.callerAddress))),
      this.problem,
      make("div", { class: "sh-in-end" }, this.button, make("span", { class: "sh-in-hint" }, this.t("keys"))),
    );
    this.answer = make("section", { class: "sh-in-answer", "aria-live": "polite", hidden: true });
    this.picks = make("aside", { class: "sh-in-picks" });
    this.root.append(make("div", { class: "sh-in-main" }, this.form, this.answer), this.picks);
    this.buildPicks();
    this.bind();
  }

  bind() {
    this.address.oninput = () => this.look();
    this.address.onkeydown = (event) => this.onAddressKey(event);
    this.kind.onkeydown = (event) => this.onKindKey(event);
    this.form.onsubmit = (event) => { event.preventDefault(); this.save(); };
    this.form.onkeydown = (event) => {
      if (event.key !== "Enter" || event.isComposing || event.target === this.button) return;
      const isPlain = event.target === this.words ? !event.shiftKey : event.target.tagName === "INPUT";
      if (event.ctrlKey || (isPlain && event.target !== this.address && event.target !== this.kind)) {
        event.preventDefault();
        this.save();
      }
    };
    this.root.onpointerdown = () => this.begin();
    this.root.addEventListener("keydown", () => this.begin(), true);
  }

  begin() {
    if (!this.begun && this.answer.hidden) this.begun = performance.now();
  }

  reset() {
    this.form.reset();
    for (const element of [this.address, this.kind, this.words, this.callerName, this.callerPhone, this.callerAddress, this.time]) element.value = "";
    this.urgency.value = "normal";
    this.urgencySet = false;
    this.group = this.code = null;
    this.point = null;
    this.found = [];
    this.on = 0;
    this.begun = null;
    this.key = crypto.randomUUID();
    this.problem.textContent = "";
    this.options.replaceChildren();
    this.answer.hidden = true;
    this.form.hidden = false;
    this.drawKinds();
    this.mark(null);
    this.address.focus({ preventScroll: true });
  }

  // Address

  look() {
    this.point = null;
    clearTimeout(this.waiting);
    const text = this.address.value.trim();
    if (!text) {
      this.found = [];
      this.drawOptions();
      return;
    }
    this.looking = new Promise((resolve) => {
      this.waiting = setTimeout(async () => {
        const answer = await this.ask(`find?q=${encodeURIComponent(text)}`);
        if (answer && text === this.address.value.trim()) {
          this.found = answer.options;
          this.on = 0;
          this.drawOptions();
        }
        resolve();
      }, WAIT_MS);
    });
  }

  drawOptions() {
    this.address.setAttribute("aria-expanded", String(this.found.length > 0));
    const rows = this.found.map((option, n) =>
      make("div", { role: "option", id: `sh-in-option-${n}`, class: "sh-in-option", "aria-selected": String(n === this.on), onpointerdown: (event) => { event.preventDefault(); this.take(n); } },
        make("b", {}, option.address), this.sureness(option.confidence), make("span", { class: "sh-in-why" }, this.t(`reason_${option.reason}`))));
    if (!rows.length && this.address.value.trim()) rows.push(make("div", { class: "sh-in-none" }, this.t("no_option")));
    this.options.replaceChildren(...rows);
    this.address.setAttribute("aria-activedescendant", this.found.length ? `sh-in-option-${this.on}` : "");
    this.mark(this.found[this.on]?.building_id ?? null);
  }

  sureness(confidence) {
    const level = confidence >= SURE ? "sure" : confidence >= LIKELY ? "likely" : "unsure";
    return make("span", { class: "sh-in-sure", "data-level": level }, `${this.t(`level_${level}`)} ${Math.round(confidence * 100)}%`);
  }

  async onAddressKey(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.on = Math.min(Math.max(this.on + step, 0), Math.max(this.found.length - 1, 0));
      this.drawOptions();
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      this.kind.focus();
      await this.looking; // the last keys may still be looked up: the hands go on, the eyes see it arrive
      this.take(this.on, true);
    }
  }

  // An option that is sure enough to be written out; else the words stay as they were said.
  take(n, fromKeys = false) {
    const option = this.found[n];
    if (!option || (fromKeys && n === 0 && option.reason === "similar")) return;
    this.address.value = option.address;
    this.point = null;
    this.found = [option];
    this.on = 0;
    this.drawOptions();
    if (!fromKeys) this.kind.focus();
  }

  // Kind

  below(code) {
    return this.data.kinds.filter((kind) => kind.parent === code);
  }

  onKindKey(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Backspace" || event.key === "Escape") {
      event.preventDefault();
      this.code = null;
      this.group = null;
      this.drawKinds();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.group && !this.code) this.choose(this.group);
      else if (this.code) this.words.focus();
    } else if (event.key.length === 1) {
      event.preventDefault();
      this.press(event.key.toLowerCase());
    }
  }

  press(key) {
    const among = this.group && !this.code ? this.below(this.group) : this.groups;
    const hit = among.find((kind) => kind.key === key);
    if (!hit) return;
    if (among === this.groups && this.below(hit.code).length) {
      this.group = hit.code;
      this.code = null;
      this.drawKinds();
    } else this.choose(hit.code);
  }

  choose(code) {
    this.code = code;
    const kind = this.byCode.get(code);
    this.group = this.groups.some((one) => one.code === code) ? code : kind.parent;
    this.urgency.value = kind.urgency ?? "normal";
    this.drawKinds();
    this.words.focus();
  }

  drawKinds() {
    const chosen = this.code && this.byCode.get(this.code);
    this.kind.value = chosen ? this.nameOf(chosen) : this.group ? this.byCode.get(this.group).name : "";
    const among = this.group && !this.code ? this.below(this.group) : this.groups;
    this.kinds.replaceChildren(
      ...among.map((kind) =>
        make("button", { type: "button", tabindex: "-1", class: "sh-in-kind", "aria-pressed": String(kind.code === this.code || (this.code !== null && kind.code === this.group)), onclick: () => (among === this.groups && this.below(kind.code).length ? this.pick(kind.code) : this.choose(kind.code)) },
          make("kbd", {}, kind.key ?? "·"), this.dot(kind), kind.name)));
  }

  pick(group) {
    this.group = group;
    this.code = null;
    this.drawKinds();
    this.kind.focus();
  }

  dot(kind) {
    const dot = make("i", { class: "sh-in-dot" }, kind.symbol ?? "");
    dot.style.background = kind.colour ?? "#9fb3cb";
    return dot;
  }

  nameOf(kind) {
    const above = kind.parent && this.byCode.get(kind.parent);
    return above ? `${above.name} › ${kind.name}` : kind.name;
  }

  // Lists and plan

  async buildPicks() {
    const plan = await this.ask("plan");
    if (!plan) return;
    this.plan = plan;
    const names = [...plan.buildings].filter((one) => one.name).sort((a, b) => a.name.localeCompare(b.name, this.data.lang, { numeric: true }));
    this.buildingList = make("select", { onchange: () => this.fill(this.buildingList.value) }, make("option", { value: "" }, this.t("building_choose")), ...names.map((one) => make("option", { value: one.id }, one.name)));
    this.levelList = make("select", { disabled: true, onchange: () => this.drawRooms() });
    this.roomList = make("select", { disabled: true, onchange: () => this.say(this.roomList.value) });
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${plan.width} ${plan.height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", this.t("plan"));
    const path = (d, name, title = null) => {
      const shape = document.createElementNS(svg.namespaceURI, "path");
      shape.setAttribute("d", d);
      shape.setAttribute("class", name);
      if (title) shape.append(Object.assign(document.createElementNS(svg.namespaceURI, "title"), { textContent: title }));
      svg.append(shape);
      return shape;
    };
    path(plan.boundary, "edge");
    path(plan.ways, "way");
    this.shapes = new Map(plan.buildings.map((one) => [one.id, path(one.d, "house", one.name)]));
    for (const [id, shape] of this.shapes) shape.dataset.id = id;
    this.pin = document.createElementNS(svg.namespaceURI, "circle");
    this.pin.setAttribute("r", "9");
    this.pin.setAttribute("class", "pin");
    this.pin.style.display = "none";
    svg.append(this.pin);
    svg.onclick = (event) => this.onPlan(svg, event);
    this.picks.append(
      make("h4", {}, this.t("lists")),
      make("div", { class: "sh-in-row" }, this.field("building", this.buildingList), this.field("level", this.levelList), this.field("room", this.roomList)),
      make("h4", {}, this.t("plan")), svg, make("p", { class: "sh-in-hint" }, this.t("plan_hint")));
  }

  async fill(id, then = null) {
    const answer = id ? await this.ask(`units?building=${encodeURIComponent(id)}`) : null;
    this.homes = answer?.units ?? [];
    const levels = [...new Set(this.homes.map((home) => home.level))];
    this.levelList.replaceChildren(make("option", { value: "" }, this.t("level_any")), ...levels.map((level) => make("option", { value: String(level) }, level === null ? "?" : String(level))));
    this.levelList.disabled = !levels.length;
    this.drawRooms();
    const house = this.plan.buildings.find((one) => one.id === id);
    if (house) this.say(answer?.address ?? house.address, house);
    then?.();
  }

  drawRooms() {
    const level = this.levelList.value;
    const homes = this.homes.filter((home) => !level || String(home.level) === level);
    this.roomList.replaceChildren(make("option", { value: "" }, this.t("room_choose")), ...homes.map((home) => make("option", { value: home.address ?? "" }, home.room ?? "?")));
    this.roomList.disabled = !homes.length;
  }

  // An address from a list or the plan; a house that has none is said by its point.
  say(address, house = null) {
    if (address) {
      this.address.value = address;
      this.look();
    } else if (house) this.setPoint(house.x_m, house.y_m, house.name);
  }

  setPoint(x, y, name) {
    this.address.value = "";
    this.found = [];
    this.drawOptions();
    this.point = { lon: x, lat: y, crs: "LOCAL" };
    this.options.replaceChildren(make("div", { class: "sh-in-none" }, this.t("point", { name })));
    this.pin.style.display = "";
    this.pin.setAttribute("cx", x - this.plan.west);
    this.pin.setAttribute("cy", this.plan.north - y);
  }

  onPlan(svg, event) {
    const id = event.target.dataset?.id;
    if (id) {
      this.buildingList.value = id;
      this.fill(id, () => this.kind.focus());
      return;
    }
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    this.setPoint(this.plan.west + at.x, this.plan.north - at.y, this.t("point_free"));
    this.kind.focus();
  }

  mark(buildingId) {
    if (!this.shapes) return;
    this.pin.style.display = "none";
    for (const [id, shape] of this.shapes) shape.classList.toggle("on", id === buildingId);
  }

  // Saving

  async save() {
    if (this.saving) return;
    const kind = this.code ?? null;
    const address = this.address.value.trim();
    if (!address && !this.point) return this.complain(this.t("need_address"), this.address);
    if (!kind) return this.complain(this.t("need_kind"), this.kind);
    this.saving = true;
    const callerAddress = this.callerAddress.value.trim();
    const values = {
      address: address || null, ...(this.point ?? {}), category: kind, urgency: this.urgency.value, source: this.source.value,
      description: this.words.value.trim() || null, caller_name: this.callerName.value.trim() || null,
      caller_phone: this.callerPhone.value.trim() || null, caller_address: callerAddress || null,
      // What is typed is this office's time, wherever the browser thinks it is.
      received_at: this.time.value ? `${this.time.value.length === 16 ? `${this.time.value}:00` : this.time.value}+08:00` : undefined,
    };
    const seconds = this.begun ? (performance.now() - this.begun) / 1000 : null;
    const sent = await this.send(values);
    this.saving = false;
    if (sent) this.showAnswer(sent, seconds);
  }

  complain(text, element) {
    this.problem.textContent = text;
    element?.focus();
  }

  async send(values) {
    try {
      const answer = await fetch(`${this.data.prefix}/incidents`, { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": this.key }, body: JSON.stringify(values) });
      const body = await answer.json();
      if (answer.ok) return body;
      const fields = body.error?.fields ?? [];
      const names = fields.map((one) => this.t(one.field)).join(", ");
      this.complain(names ? this.t("refused_fields", { names }) : this.t("refused", { status: answer.status }));
      if (answer.status === 422) this.key = crypto.randomUUID();
    } catch {
      this.complain(this.t("no_server"));
    }
    return null;
  }

  async ask(path) {
    try {
      const answer = await fetch(`${this.data.prefix}/${path}`);
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  showAnswer(taken, seconds) {
    const place = taken.place ?? {};
    const where = place.is_placed ? place.address ?? this.t("point_free") : this.t("not_placed");
    const next = make("button", { type: "button", class: "sh-in-save sh-in-next", onclick: () => this.reset() }, this.t("next"));
    const alike = taken.alike ?? [];
    this.answer.replaceChildren(
      ...[
        make("h3", {}, this.t("taken", { number: taken.source_no ?? "" })),
        make("p", { class: "sh-in-where" }, make("b", {}, where), " ", place.is_placed ? this.sureness(place.confidence ?? 0) : null, " ", make("span", { class: "sh-in-why" }, this.t(`reason_${place.reason ?? "nothing_said"}`))),
        place.disagrees ? make("p", { class: "sh-in-problem" }, this.t("gap", { metres: Math.round(place.gap_m) })) : null,
        taken.left_out?.length ? make("p", { class: "sh-in-hint" }, this.t("left_out", { names: taken.left_out.map((name) => this.t(name)).join(", ") })) : null,
        alike.length ? make("div", { class: "sh-in-alike" }, make("p", {}, this.t("alike")), ...alike.map((one) => make("button", { type: "button", onclick: () => this.open(taken.incident_id) }, [one.time, one.number, this.byCode.get(one.category)?.name, one.address].filter(Boolean).join(" · ")))) : null,
        seconds === null ? null : make("p", { class: "sh-in-hint" }, this.t("seconds", { seconds: seconds.toFixed(1) })),
        make("div", { class: "sh-in-end" }, next, make("button", { type: "button", class: "sh-in-open", onclick: () => this.open(taken.incident_id) }, this.t("show"))),
      ].filter((part) => part !== null));
    this.answer.dataset.id = taken.incident_id;
    this.answer.dataset.seconds = seconds === null ? "" : seconds.toFixed(2);
    this.form.hidden = true;
    this.answer.hidden = false;
    next.focus();
  }
}
