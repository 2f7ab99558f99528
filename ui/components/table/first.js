// The first picture: ground and buildings. The page's own script begins it (early.js), the table takes it over.
import { Camera, CONTROLLER } from "./camera.js";
import { Scenes } from "./scenes.js";
import { buildConfiguration } from "./solids.js";

const SWITCHES = "shapan.switches";
const BEGIN = { pitch: 50, bearing: -24 };
// As in table.css: rails, their distance from the edge, the top bar; on a phone the sheet. All in rem but the last.
const RAILS = { left: 17.5, right: 19.5, edge: 0.8 };
const REFERENCE_REM = 16;
const SHEET_SHARE = 0.46;
const PHONE_TOP_REM = 16.4; // bar, tools, stamp and the list of alarms
const SOLIDS = ["buildings", "parapets", "gables", "rentals", "group-rentals", "freshness", "due"];
// Names of what buildConfiguration puts there.
const FROM_OUR_STORE = { fetch: "@@#SHAPAN.FIND", _dataDiff: "@@#SHAPAN.ROWS" };
let rendererLoading = null;

/** The renderer, loaded once; the page may have brought it. */
export function loadRenderer(url) {
  rendererLoading ??= window.createDeck ? Promise.resolve() : new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`The renderer did not load from ${url}.`));
    document.head.append(script);
  });
  return rendererLoading;
}

/** The legend's switches as this browser was left; what cannot be read is forgotten. */
export function readSwitches() {
  try {
    return JSON.parse(localStorage.getItem(SWITCHES)) || {};
  } catch {
    return {};
  }
}

/** Pixels of a rem: type grows with the wall. */
export function findRem() {
  const { innerWidth, innerHeight } = window;
  return innerWidth < 900 ? 15 : Math.max(13, Math.min(innerWidth / 120, innerHeight / 64, 48));
}

/** What the frame will leave free, reckoned before it is there. */
function foreseeInsets() {
  const rem = findRem();
  const wide = window.innerWidth > 900;
  const side = (name) => (wide ? (RAILS[name] + RAILS.edge) * rem : 0) + 12;
  const bottom = (wide ? 4.2 * rem : SHEET_SHARE * window.innerHeight) + 0.4 * rem;
  return { left: side("left"), right: side("right"), top: (wide ? 4.2 : PHONE_TOP_REM) * rem, bottom };
}

/** The deck's layers with our own records as their data; of the solids of a building, without the one that is open. */
export function toOwnLayers(data, store, ids, isOn, without = null) {
  const thick = Math.max(1, findRem() / REFERENCE_REM); // lines grow with the wall as words do
  return data.deck.layers.filter((layer) => !ids || ids.includes(layer.id)).map((layer) => (
    { ...layer, data: store.place(data.layerScene[layer.id], SOLIDS.includes(layer.id) ? without : null), ...FROM_OUR_STORE, ...(layer.widthUnits === "pixels" && { widthScale: thick }), visible: isOn(data.layerSwitch[layer.id]) }
  ));
}

export class First {
  constructor(data) {
    this.data = data;
    this.store = new Scenes();
    this.canvas = document.createElement("div");
    this.canvas.className = "sp-deck";
    this.handle = () => {}; // the renderer's events, for whoever takes the picture over
  }

  /** Begin to draw, once: {camera, instance} when the renderer has its first orders. */
  draw(findInsets = foreseeInsets) {
    this.drawing ??= this.begin(findInsets);
    return this.drawing;
  }

  async begin(findInsets) {
    const { data, store } = this;
    const names = ["border", ...data.first.map((layer) => data.layerScene[layer])];
    await Promise.all([loadRenderer(data.renderer), ...names.map((name) => store.waiting[name] ?? store.load(name, data.files[name]))]);
    const { deck, luma } = window;
    deck.log.level = -1;
    const switches = readSwitches();
    this.camera = new Camera(deck, this.canvas, data.frame);
    this.instance = window.createDeck({
      container: this.canvas,
      configuration: buildConfiguration(deck, luma, store),
      jsonInput: {
        ...data.deck,
        layers: toOwnLayers(data, store, data.first, (id) => switches[id] ?? true),
        initialViewState: this.camera.limited(this.findWhole(findInsets())),
      },
      tooltip: false,
      handleEvent: (name, info) => this.handle(name, info),
    });
    this.instance.setProps({ views: [new deck.MapView({ id: "table", controller: CONTROLLER, farZMultiplier: 2 })] });
    this.camera.instance = this.instance;
  }

  /** The camera that shows the whole community between these insets. */
  findWhole(insets, { pitch, bearing } = BEGIN) {
    const points = (this.store.content.border || []).flatMap((record) => record.l);
    return this.camera.fit(points.length ? points : [[-400, -400], [400, 400]], { pitch, bearing, insets, maxZoom: 20 });
  }

  /** A mark over the picture until the table, which has its own, takes it over. */
  say(words) {
    this.mark = document.createElement("strong");
    this.mark.setAttribute("role", "note");
    this.mark.textContent = words;
    this.mark.style.cssText = "position:absolute;inset:0.8rem 0 auto;width:fit-content;margin:auto;z-index:2;padding:0.3rem 1rem;border-radius:0.25rem;background:#ffbe54;color:#17100a;font:800 1.4rem system-ui,sans-serif";
    this.canvas.append(this.mark);
  }

  remove() {
    this.instance?.finalize();
    this.canvas.remove();
  }
}

/** The picture that the page's own script began, if it says what this table says; it is given away once. */
export function takeEarly(data) {
  const early = window.shapanEarly;
  window.shapanEarly = null;
  if (!early) return null;
  if (early.data.lang === data.lang) {
    early.canvas.removeAttribute("style");
    early.mark?.remove();
    return early;
  }
  early.draw().finally(() => early.remove());
  return null;
}
