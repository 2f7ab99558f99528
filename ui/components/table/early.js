// Runs with the page itself, before Streamlit: draws ground and buildings, and leaves them to the table.
import { First } from "./first.js";

const PATIENCE_MS = 60_000; // then no table will come: the page shows something else, and must not lie under this

const told = document.getElementById("shapan-first");
if (told) {
  const first = new First(JSON.parse(told.textContent));
  first.canvas.style.cssText = "position:fixed;inset:0;z-index:1;pointer-events:none;background:#090f1c";
  if (first.data.drill) first.say(first.data.drill);
  document.body.append(first.canvas);
  window.shapanEarly = first;
  first.draw().catch(() => window.shapanEarly === first && (window.shapanEarly = null));
  setTimeout(() => {
    if (window.shapanEarly !== first) return;
    window.shapanEarly = null;
    first.remove();
  }, PATIENCE_MS);
}
