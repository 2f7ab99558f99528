"""The route card: A5, one for each team, with map and QR. Call signs and places, no person."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import segno
import streamlit as st

from data.queries import get_info
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from layers.paper import find_fonts, print_paper
from layers.patrol_routes import draw_route, say_gates
from ui.papers import offer_paper
from ui.patrol_map import say_team
from ui.patrol_words import say_head, say_shift, say_time
from ui.tables import format_time

Json = dict[str, Any]
PHONE = "/phone/patrol"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TEMPLATE = """
#let cards = json(bytes(sys.inputs.content))
#set document(title: cards.title)
#set page(paper: "a5", margin: (x: 9mm, y: 8mm))
#set text(font: json(bytes(sys.inputs.fonts)), size: 8.5pt, lang: "zh", region: "cn")
#set par(leading: 0.5em)
#set table(stroke: 0.4pt + luma(150), inset: (x: 3pt, y: 3.2pt))
#for (number, card) in cards.cards.enumerate() [
  #if number > 0 { pagebreak() }
  #if card.mark != "" { align(center, box(stroke: 1.2pt, inset: 3pt, text(weight: "bold", size: 10pt, card.mark))) }
  #grid(columns: (1fr, 24mm), column-gutter: 4mm,
    [
      #text(size: 15pt, weight: "bold", card.title) \\
      #v(0.5mm)
      #text(size: 10.5pt, weight: "bold", card.who) \\
      #for line in card.facts [#text(size: 8.5pt, fill: luma(50), line) \\ ]
    ],
    align(right)[#image(bytes(card.qr), format: "svg", width: 24mm)
      #v(-2.5mm) #text(size: 5.5pt, fill: luma(80), card.code)],
  )
  #v(-1mm)
  #image(bytes(card.map), format: "svg", width: 100%)
  #table(columns: (auto, auto, auto, 4fr, 5fr),
    table.header(..card.heads.map(head => strong(head))),
    ..card.rows.flatten(),
  )
  #v(1fr)
  #text(size: 7pt, fill: luma(80), card.foot)
]
"""


def offer_cards(store: Store, viewer: Viewer, plan: Json, call_signs: Mapping[str, str], lang: Language) -> None:
    """The button that makes them, for who sees the page; each making is in the log."""
    if plan["state"] == "dropped" or not any(team["stops"] for team in plan["found"]["teams"]):
        return
    if not st.button(t("patrol.cards", lang), key="patrol_cards"):
        return
    origin = find_origin(st.context.url)
    made = offer_paper(
        store, viewer, f"patrol-{plan['begin_utc']:%Y%m%d}-{plan['plan_id']}",
        lambda: build_cards(store, viewer, plan, call_signs, lang, origin=origin), lang,
        subject_kind="patrol", subject_id=plan["plan_id"], said="patrol.cards_ready",
        detail={"format": "pdf", "what": "route_cards"},
    )  # fmt: skip
    if made and origin is None:
        st.info(t("patrol.cards_no_address", lang))


def find_origin(url: str | None) -> str | None:
    """Scheme and host by which telephones reach this server too; None where the page was opened on this machine."""
    parts = urlsplit(url or "")
    if not parts.hostname or parts.hostname in _LOOPBACK:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def build_code(plan: Json, number: int, origin: str | None) -> str:
    """What the QR says: the phone's page where it can be reached, else the card's number for the office's scanner."""
    code = f"{plan['plan_id']}/{plan['revision']}/{number}"
    return f"SHAPAN-PATROL:{code}" if origin is None else f"{origin}{PHONE}?card={code}"


def build_cards(
    store: Store, viewer: Viewer, plan: Json, call_signs: Mapping[str, str], lang: Language, *, origin: str | None
) -> bytes:
    """
    The cards as one PDF, a page for each team (more where its stops need them).

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know.
    """
    info = get_info(store)
    mark = t("table.drill", lang) if info.drill else t("table.synthetic", lang) if info.synthetic else ""
    cards = [
        _build_card(store, plan, number, team, call_signs, mark, viewer, lang, origin)
        for number, team in enumerate(plan["found"]["teams"], start=1)
        if team["stops"]
    ]
    return print_paper(_TEMPLATE, {"title": t("patrol.card_title", lang), "cards": cards})


def _build_card(
    store: Store, plan: Json, number: int, team: Json, call_signs: Mapping[str, str], mark: str, viewer: Viewer,
    lang: Language, origin: str | None,
) -> Json:  # fmt: skip
    code = build_code(plan, number, origin)
    rows = [
        [
            str(n), f"{say_time(stop['begin'])}–{say_time(stop['leave'])}",
            t("patrol.minutes", lang, n=f"{stop['slack_minutes']:.0f}"), str(stop["name"]),
            say_gates(stop["way"], lang),
        ]
        for n, stop in enumerate(team["stops"], start=1)
    ]  # fmt: skip
    state = t(f"patrol.state_{plan['state']}", lang)
    return {
        "title": t("patrol.card_head", lang, n=number, shift=say_shift(plan)),
        "who": say_team(team, call_signs),
        "facts": [
            say_head(number, team, call_signs, lang),
            t("patrol.card_state", lang, state=state, revision=plan["revision"], seed=plan["seed"]),
            t("patrol.card_how", lang),
        ],
        "qr": _draw_qr(code),
        "code": f"{plan['plan_id']}/{plan['revision']}/{number}",
        "map": draw_route(store, team, ratio=1.75, fonts=find_fonts()),
        "heads": [t(f"patrol.head_{name}", lang) for name in ("number", "stay", "slack", "place", "gates")],
        "rows": rows,
        "mark": mark,
        "foot": t("patrol.card_foot", lang, who=viewer.name or viewer.role.value, time=format_time(utc_now())),
    }


def _draw_qr(code: str) -> str:
    buffer = io.BytesIO()
    segno.make(code, error="m", micro=False).save(buffer, kind="svg", border=2, light="#fff", xmldecl=False)
    return buffer.getvalue().decode()
