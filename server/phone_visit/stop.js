// One visit: the pack, and what was found there. Time and place are frozen when the verdict is pressed at the door.
import * as keep from "./keep.js";
import { edit } from "./photo.js";
import { drawMarks, getLang, make, say, sayTime, store, toDay } from "./words.js";

const MEND_DAYS = 7;
const FIX_AGE_MS = 120_000; // an older position is of another place
const newKey = () => crypto.randomUUID();
let fix = null;
let watching = null;

// The position is asked for while somebody reads the pack, so that it is there when the verdict is pressed.
export function watchPlace() {
  if (watching !== null || !navigator.geolocation) return;
  watching = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      fix = { lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy, at: timestamp };
    },
    () => {},
    { enableHighAccuracy: true, maximumAge: 30_000 },
  );
}

export function stopWatching() {
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  watching = null;
}

// As the office proposes it (tasks/notices.py): this evening, or tomorrow; in the clock of Shanghai.
function proposeAgain(ms) {
  const local = new Date(ms + 8 * 3600e3);
  if (local.getUTCHours() * 60 + local.getUTCMinutes() <= 17 * 60 + 30) return `${toDay(ms)}T19:00`;
  const day = new Date(ms + 8 * 3600e3 + 86400e3).getUTCDay();
  return `${toDay(ms + 86400e3)}T${day === 0 || day === 6 ? "09:30" : "19:00"}`;
}

function freezePlace() {
  if (!fix || Date.now() - fix.at > FIX_AGE_MS) return null;
  const { lon, lat, accuracy_m } = fix;
  return { lon, lat, accuracy_m };
}

function draw(svg, label) {
  const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return make("figure", {}, make("img", { src: source, alt: label }), make("figcaption", {}, label));
}

function drawPack(stop) {
  const lang = getLang();
  const parts = (stop.parts[lang] ?? []).map((part) =>
    make("section", { class: "part", "data-part": part.code }, make("h2", {}, part.title), part.lines.map((line) => make("p", {}, line))),
  );
  const order = ["look", "who", "what", "way", "units", "history", "incidents"];
  parts.sort((a, b) => order.indexOf(a.dataset.part) - order.indexOf(b.dataset.part));
  return [
    ...parts.slice(0, 3),
    stop.plan ? draw(stop.plan, say(stop.schematic ? "plan_schematic" : "plan")) : null,
    stop.outside ? draw(stop.outside, say("outside")) : null,
    ...parts.slice(3),
  ];
}

// Opens a visit in `box`. `about`: account and skew of the round; `done(how)`: it is over, kept or not.
export async function openStop(box, stop, about, done) {
  watchPlace();
  let draft = (await keep.get("draft", stop.id)) ?? null;
  const save = () => keep.put("draft", stop.id, draft);
  const begin = async (verdict) => {
    draft = {
      key: newKey(), verdict, device_utc: new Date().toISOString(), where: freezePlace(),
      wrong: verdict === "mended" || verdict === "clean" || verdict === "nobody_home" ? [] : [...stop.demanded],
      again: verdict === "nobody_home" ? proposeAgain(Date.now() + about.skew_s * 1000) : null, text: "", photos: draft?.photos ?? [], rectify_by: toDay(Date.now() + about.skew_s * 1000 + MEND_DAYS * 86400e3),
    };
    await save();
    show();
  };
  const leave = (how) => {
    stopWatching();
    done(how);
  };

  async function addPhoto(file) {
    const bytes = file ? await edit(file) : null;
    if (!bytes) return;
    const key = newKey();
    await keep.put("photo", key, bytes);
    draft.photos.push({ key, device_utc: new Date().toISOString() });
    await save();
    show();
  }

  async function finish() {
    const head = { task: stop.id, skew_s: about.skew_s };
    for (const photo of draft.photos) {
      const query = { ...head, key: newKey(), evidence: draft.key, device_utc: photo.device_utc };
      await keep.append({ kind: "photo", key: query.key, task: stop.id, account: about.account, photo: photo.key, query });
    }
    const isVisit = draft.verdict !== "nobody_home";
    const wrong = draft.wrong;
    const answers = Object.fromEntries((stop.items[getLang()] ?? []).map(([code]) => [code, wrong.includes(code) ? "not_ok" : "ok"]));
    const seen = {
      ...head, key: draft.key, kind: isVisit ? "visit" : "nobody_home", device_utc: draft.device_utc, where: draft.where,
      text: isVisit ? draft.text : [store.strings.zh["visit.nobody_said"], draft.text].filter(Boolean).join(" "),
    };
    if (!isVisit) seen.again_utc = `${draft.again}:00+08:00`;
    if (isVisit && stop.kind === "rectification") seen.mended = draft.verdict === "mended";
    if (isVisit && stop.kind !== "rectification") {
      seen.answers = answers;
      seen.findings = wrong.map((code) => ({ code, rectify_by: draft.rectify_by, text: code === "other" ? draft.text : "" }));
    }
    await keep.append({ kind: seen.kind, key: seen.key, task: stop.id, account: about.account, body: JSON.stringify(seen) });
    await keep.drop("draft", stop.id);
    leave(isVisit ? "visited" : "nobody_home");
  }

  function drawVerdicts() {
    const again = stop.kind === "rectification";
    const [good, bad] = again ? ["mended", "not_mended"] : ["clean", "wrong"];
    return make(
      "div",
      { class: "acts" },
      make("button", { class: "main", id: `do-${good}`, on: { click: () => begin(good) } }, say(good)),
      make("button", { id: `do-${bad}`, on: { click: () => begin(bad) } }, say(bad)),
      make("button", { id: "do-nobody_home", on: { click: () => begin("nobody_home") } }, say("nobody_home")),
    );
  }

  function drawDraft() {
    const isOpen = draft.verdict === "wrong";
    const items = [...(stop.items[getLang()] ?? []), ["other", say("item_other")]];
    const toggle = async (code) => {
      draft.wrong = draft.wrong.includes(code) ? draft.wrong.filter((one) => one !== code) : [...draft.wrong, code];
      await save();
      show();
    };
    const write = async (event) => {
      draft[event.target.name] = event.target.value;
      await save();
    };
    const rows = items.map(([code, words]) => {
      const isWrong = draft.wrong.includes(code);
      const label = say(isWrong ? "item_wrong" : "item_ok");
      return make(
        "button",
        { class: `item${isWrong ? " wrong" : ""}`, "data-item": code, "aria-pressed": String(isWrong), on: { click: () => toggle(code) } },
        make("span", {}, words), make("strong", {}, label),
      );
    });
    const day = make("input", { type: "date", name: "rectify_by", value: draft.rectify_by, on: { change: write } });
    const again = make("input", { type: "datetime-local", name: "again", value: draft.again, on: { change: (event) => event.target.value && write(event).then(() => show()) } });
    const words = make("textarea", { name: "text", rows: 3, maxlength: 900, placeholder: say("words"), on: { input: write } }, draft.text);
    const camera = make("input", {
      type: "file", accept: "image/*", capture: "environment", id: "camera", hidden: true,
      on: { change: (event) => addPhoto(event.target.files[0]) },
    });
    const place = draft.where ? say("place_known", { m: Math.round(draft.where.accuracy_m ?? 0) }) : say("place_unknown");
    const isReady = !isOpen || draft.wrong.length > 0;
    return [
      make(
        "section",
        { class: "part" },
        make("h2", {}, say(draft.verdict)),
        make("p", {}, `${sayTime(draft.device_utc)} · ${place}`),
        draft.again ? make("label", {}, say("again"), again) : null,
        draft.again ? make("p", { class: "notice" }, say("notice", { at: sayTime(draft.device_utc), again: draft.again.replace("T", " ") })) : null,
        isOpen ? rows : null,
        isOpen ? make("label", {}, say("rectify_by"), day) : null,
        words,
        camera,
        make("button", { id: "add-photo", on: { click: () => camera.click() } }, say("add_photo", { n: draft.photos.length })),
      ),
      make(
        "div",
        { class: "acts" },
        make("button", { class: "main", id: "finish", disabled: !isReady, on: { click: finish } }, say(isReady ? "finish" : "choose_items")),
        make("button", { id: "undo", on: { click: cancel } }, say("cancel")),
      ),
    ];
  }

  async function cancel() {
    for (const photo of draft.photos) await keep.drop("photo", photo.key);
    await keep.drop("draft", stop.id);
    draft = null;
    show();
  }

  async function propose(what, subject, field, value) {
    const seen = {
      key: newKey(), kind: "difference", task: stop.id, device_utc: new Date().toISOString(), skew_s: about.skew_s,
      subject_kind: subject, subject_id: stop.register[subject], what, field, new_value: String(value), text: "",
    };
    await keep.append({ kind: "difference", key: seen.key, task: stop.id, account: about.account, body: JSON.stringify(seen) });
    show(say("difference_kept"));
  }

  function drawDifferences(note) {
    const known = stop.known;
    const people = known["rental.tenants_count"] != null ? ["rental", "tenants_count"] : ["unit", "residents_count"];
    const step = (what, [subject, field], by) => {
      const was = known[`${subject}.${field}`];
      if (!(subject in stop.register)) return null;
      let value = Math.max(0, Number(was ?? 0) + by);
      const shown = make("output", {}, String(value));
      const move = (n) => () => (shown.textContent = String((value = Math.max(0, value + n))));
      return make(
        "div",
        { class: "step", "data-what": what },
        make("span", {}, say("difference_from", { what: say(what), was: was ?? "–" })),
        make("button", { "aria-label": say("less"), on: { click: move(-1) } }, "−"),
        shown,
        make("button", { "aria-label": say("more"), on: { click: move(1) } }, "+"),
        make("button", { class: "keep", on: { click: () => propose(what, subject, field, value) } }, say("difference_keep")),
      );
    };
    let use = null;
    if ("unit" in stop.register) {
      const options = ["dwelling", "shop", "office", "storage", "other"].filter((code) => code !== known["unit.use"]);
      const choice = make("select", {}, options.map((code) => make("option", { value: code }, say(`use_${code}`))));
      use = make(
        "div",
        { class: "step", "data-what": "use_changed" },
        make("span", {}, say("difference_from", { what: say("use_changed"), was: say(`use_${known["unit.use"]}`) })),
        choice,
        make("button", { class: "keep", on: { click: () => propose("use_changed", "unit", "use", choice.value) } }, say("difference_keep")),
      );
    }
    const steps = [step("moved_in", people, 1), step("moved_out", people, -1), use, step("walls_added", ["rental", "rooms_count"], 1)];
    if (!steps.some(Boolean)) return null;
    return make(
      "details",
      { class: "part", id: "differences", open: Boolean(note) },
      make("summary", {}, say("differences")),
      make("p", {}, say("differences_text")),
      note ? make("p", { class: "notice" }, note) : null,
      steps,
    );
  }

  function show(note = "") {
    box.replaceChildren(
      ...drawMarks(),
      make(
        "header",
        {},
        make("button", { id: "back", "aria-label": say("back"), on: { click: () => leave("left") } }, "‹"),
        make("h1", {}, stop.place),
      ),
      ...(draft ? drawDraft() : [...drawPack(stop), drawDifferences(note), drawVerdicts()].filter(Boolean)),
    );
    if (!note) window.scrollTo(0, 0);
  }
  show();
}
