"""A drawing: SVG made on the server, whose parts with `data-pick` can be clicked. It asks no host for anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

# The markup comes from our own builders, every value escaped there (ui/command_map.py, ui/command_charts.py).
_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".sh-drawing");
  if (box.dataset.print !== data.print) {
    box.innerHTML = data.svg;
    box.dataset.print = data.print;
  }
  const pick = (target) => {
    const hit = target.closest("[data-pick]");
    if (hit) setTriggerValue("picked", hit.dataset.pick);
  };
  box.onclick = (event) => pick(event.target);
  box.onkeydown = (event) => event.key === "Enter" && pick(event.target);
}
"""

_mount = st.components.v2.component(
    "shapan_drawing", html='<div class="sh-drawing"></div>', js=_JS, isolate_styles=False
)


def show_drawing(svg: str, *, key: str, on_picked: Callable[[], None] | None = None) -> Any:
    """Mount it; the result carries `picked` (the part's `data-pick`) for one run after a click."""
    return _mount(key=key, data={"svg": svg, "print": str(hash(svg))}, on_picked_change=on_picked or (lambda: None))
