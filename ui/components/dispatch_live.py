"""A component without a picture: running times, the chime, and a new run of the page when something changes."""

from __future__ import annotations

from typing import Any

import streamlit as st

# One event stream for the page; what it names is looked at by the page's next run, at most one a second.
_JS = """
const TABLES = ["dispatches", "incidents", "responders"];
const SILENT = "shapan-dispatch-silent";

function say(seconds) {
  const s = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

function chime() {
  const sound = new (window.AudioContext || window.webkitAudioContext)();
  for (const [at, hertz] of [[0, 880], [0.22, 660], [0.44, 880]]) {
    const tone = sound.createOscillator(), volume = sound.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.18, sound.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.2);
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + 0.21);
  }
  setTimeout(() => sound.close(), 1200);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const own = (parentElement.shapan ??= { seen: null, rung: data.alarm, first: true });
  const skew = data.now * 1000 - Date.now();
  const tick = () => {
    for (const e of document.querySelectorAll("[data-since]"))
      e.textContent = say((Date.now() + skew) / 1000 - Number(e.dataset.since));
  };
  clearInterval(own.ticking);
  own.ticking = setInterval(tick, 1000);
  tick();
  if (data.alarm && data.alarm !== own.rung && !localStorage.getItem(SILENT)) chime();
  own.rung = data.alarm;
  const button = parentElement.querySelector(".sh-silence");
  const show = () => {
    const off = localStorage.getItem(SILENT);
    button.textContent = off ? data.words.silent : data.words.loud;
    button.setAttribute("aria-pressed", String(Boolean(off)));
  };
  button.onclick = () => {
    localStorage.getItem(SILENT) ? localStorage.removeItem(SILENT) : localStorage.setItem(SILENT, "1");
    show();
  };
  show();
  // Up and down choose the incident, wherever the focus is but in a field.
  own.onKey ??= (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.closest?.("input, textarea, select, [role='listbox'], [role='radiogroup']")) return;
    const buttons = [...document.querySelectorAll(".st-key-dispatch_incidents button")];
    const next = buttons[buttons.findIndex((one) => one.getAttribute("kind") === "primary") + step];
    if (!next) return;
    event.preventDefault();
    next.click();
    next.focus();
  };
  document.removeEventListener("keydown", own.onKey);
  document.addEventListener("keydown", own.onKey);
  own.tell = () => setTriggerValue("changed", Date.now());
  if (!own.source) {
    own.source = new EventSource("/events");
    own.source.addEventListener("revisions", (event) => {
      const now = JSON.parse(event.data);
      const fresh = TABLES.some((table) => now[table] && own.seen && now[table] !== own.seen[table]);
      own.seen = { ...own.seen, ...now };
      if (!fresh) return;
      clearTimeout(own.waiting);
      own.waiting = setTimeout(() => own.tell(), 300);
    });
  }
  return () => {
    clearInterval(own.ticking);
    clearTimeout(own.waiting);
    document.removeEventListener("keydown", own.onKey);
    own.source?.close();
    own.source = null;
  };
}
"""

_mount = st.components.v2.component(
    "shapan_dispatch_live", html='<button class="sh-silence" type="button"></button>', js=_JS, isolate_styles=False
)


def _nothing() -> None:
    """The new run is all that is wanted."""


def show_live(*, now: float, alarm: str, words: dict[str, str]) -> Any:
    """
    Mount it once on a page.

    Parameters
    ----------
    now
        Unix time of the server: the browser's clock may be wrong. Elements with `data-since` (Unix time) run from it.
    alarm
        Changes when there is something new to be heard; empty for nothing.
    words
        `loud` and `silent`: of the button that silences the chime on this screen.
    """
    return _mount(
        key="dispatch_live", data={"now": now, "alarm": alarm, "words": words}, on_changed_change=lambda: None
    )
