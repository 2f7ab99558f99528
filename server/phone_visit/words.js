// Words of the page, in the language that is chosen here; both come with the page, so that it can be changed offline.
const facts = JSON.parse(document.getElementById("facts").textContent);
const asked = new URL(location.href).searchParams.get("lang");
let lang = asked in facts.strings ? asked : facts.lang;

export const store = facts;
export const getLang = () => lang;
export const getOther = () => (lang === "zh" ? "en" : "zh");

export function setLang(code) {
  lang = code;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  document.title = say("title");
}

export function say(name, values = {}) {
  const text = facts.strings[lang][`visit.${name}`] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

const two = (n) => String(n).padStart(2, "0");

// Everybody here lives by the clock of Shanghai, wherever the phone thinks it is.
export function sayTime(iso, withDay = true) {
  const at = new Date(new Date(iso).getTime() + 8 * 3600e3);
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return withDay ? `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${time}` : time;
}

export function toDay(ms) {
  const at = new Date(ms + 8 * 3600e3);
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

// An element: attributes, then children; `on` holds what it listens to. Texts are set as text, never as markup.
export function make(tag, options = {}, ...children) {
  const { on = {}, ...rest } = options;
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const [name, work] of Object.entries(on)) node.addEventListener(name, work);
  node.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

// What every page says of the store: that nobody in it is real, or that it is a drill.
export function drawMarks() {
  const marks = [store.drill ? say("drill") : "", store.synthetic ? say("synthetic") : ""].filter(Boolean);
  return marks.map((text) => make("p", { class: "mark", role: "note" }, text));
}
