"""A component without a picture: it notices that the session ended, and goes to the sign-in page."""

from __future__ import annotations

import streamlit as st

from i18n import Language

# The server closes the page's websocket with the session; this only shows the way to sign in again.
_JS = """
export default function () {
  if (window.shapanWatch) return;
  const look = async () => {
    const answer = await fetch("/whoami", { cache: "no-store" }).catch(() => null);
    if (answer?.status === 401) location.reload();
  };
  window.shapanWatch = setInterval(look, 10000);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
"""

_mount = st.components.v2.component(
    "shapan_watch", html='<i hidden class="sh-watch"></i>', js=_JS, isolate_styles=False
)


def show_watch(lang: Language) -> None:
    """Mount it once on a page."""
    _mount(key="watch", data={"lang": lang})
