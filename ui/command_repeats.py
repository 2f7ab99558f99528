"""Places that repeat: which, how few make most, what follows what, and beside it what the police found themselves."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from data.queries import find_grids, find_incidents, find_rentals
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from incidents.concentration import find_visit_rates
from ui import session
from ui.cards import escape_markdown
from ui.command_charts import build_curve
from ui.command_data import Situation
from ui.command_links import (
    DEFAULT_DAYS,
    DEFAULT_M,
    REACHES_DAYS,
    REACHES_M,
    ROLES,
    Chain,
    Links,
    build_links_map,
    find_chain_outline,
    find_links,
)
from ui.command_place import offer, say_callers, say_own_count, show_ground, show_incidents
from ui.command_plan import Plane, draw_buildings, draw_ground
from ui.command_repeats_data import BYS, Board, Ground, find_board, find_ground, find_share_lines
from ui.command_state import Prefill, choose_chain, choose_ground, get_chain, get_ground
from ui.command_words import say_date
from ui.components.drawing.component import show_drawing
from ui.tables import format_time, show_empty, show_table


def show_repeats(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    by = st.segmented_control(
        t("bench.by", lang), BYS, default=session.recall("command_by", BYS[0]),
        format_func=lambda one: t(f"bench.by_{one}", lang), key=f"command_by_{lang}", required=True,
    )  # fmt: skip
    by = session.keep("command_by", str(by or BYS[0]))
    board = find_board(store, viewer, situation.question, by)
    key = get_ground()
    ground = None if key is None else find_ground(store, viewer, situation, key)
    if board is None or board.answer.n_used == 0:
        show_empty(t("bench.no_places", lang))
    else:
        _show_board(store, viewer, situation, board, ground, lang)
    if ground is not None:
        show_incidents(situation, ground.inside, lang)
    _show_links(store, viewer, situation, lang)
    _show_visits(store, viewer, situation, lang)


def _show_board(
    store: Store, viewer: Viewer, situation: Situation, board: Board, ground: Ground | None, lang: Language
) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        svg = build_share_map(situation, board, title=t("bench.share_map", lang), on=ground)
        show_drawing(svg, key="command_share_map", on_picked=_pick)
        st.caption(t("bench.share_legend", lang, places=t(f"bench.by_{board.by}", lang)))
    with right:
        if ground is not None:
            show_ground(store, viewer, situation, ground, lang)
        else:
            _show_places(situation, board, lang)
    st.subheader(t("bench.share", lang))
    st.markdown(escape_markdown(board.answer.sentence(lang)))
    first, second = st.columns(2, gap="large")
    with first:
        curve = build_curve(
            board.curve, board.luck, title=t("bench.share", lang),
            across=t("bench.share_across", lang), up=t("bench.share_up", lang),
        )  # fmt: skip
        show_drawing(curve, key="command_share_curve")
        st.caption(t("bench.share_luck" if board.luck is not None else "bench.share_no_luck", lang))
    with second:
        _show_share_table(board, lang)


def _pick() -> None:
    picked = str(getattr(st.session_state.get("command_share_map"), "picked", "") or "")
    if picked:
        choose_ground(picked)


def _show_share_table(board: Board, lang: Language) -> None:
    luck = board.luck
    rows = []
    for what, places, place_share, made in find_share_lines(board):
        by_luck = ""
        if luck is not None and what == "places":
            by_luck = f"{100 * np.interp(places, luck['places'], luck['incident_share']):.0f}%"
        elif luck is not None and made < 1:
            by_luck = t(
                "bench.luck_places", lang, n=int(np.ceil(np.interp(made, luck["incident_share"], luck["places"])))
            )
        rows.append([f"{places}", f"{100 * place_share:.1f}%", f"{100 * made:.0f}%", by_luck])
    heads = [t(f"bench.head_{name}", lang) for name in ("places", "place_share", "incident_share", "by_luck")]
    show_table(heads, rows, narrow=frozenset({0, 1, 2}))


def _show_places(situation: Situation, board: Board, lang: Language) -> None:
    st.subheader(t("bench.most", lang, places=t(f"bench.by_{board.by}", lang)))
    if not board.places:
        show_empty(t("bench.none_twice", lang))
    for number, ground in enumerate(board.places, start=1):
        with st.container(border=True, gap="xsmall"):
            st.button(
                f"{number} · {escape_markdown(ground.name)}", key=f"command-repeat-{number}", type="tertiary",
                on_click=choose_ground, args=(ground.key,),
            )  # fmt: skip
            said = " ".join(filter(None, [say_own_count(ground, situation, lang), say_callers(ground, lang)]))
            st.caption(escape_markdown(said))


def build_share_map(situation: Situation, board: Board, *, title: str, on: Ground | None) -> str:
    """The places that make 80 % of the incidents lit; each can be clicked."""
    at = Plane(situation.outline)
    lit = on.key.partition(":")[2] if on is not None and on.key.startswith(f"{board.by}:") else None
    parts = [draw_ground(situation, at)]

    def mark(place: str) -> str:
        return ("m" if place in board.makers else "") + (" on" if place == lit else "")

    if board.by == "building":
        parts += draw_buildings(situation, at, mark, picks=True)
    elif board.by in ("segment", "grid"):
        draw = at.line if board.by == "segment" else at.path
        parts += draw_buildings(situation, at, lambda _: "", picks=False)
        kind = "r" if board.by == "segment" else "w"
        for place, shape in sorted(board.shapes.items(), key=lambda one: one[0] in board.makers):
            parts.append(
                f'<path class="{kind} {mark(place)}" data-pick="{board.by}:{escape(place)}" d="{draw(shape)}">'
                f"<title>{escape(board.names.get(place, place))}</title></path>"
            )
    else:  # units and addresses are drawn by their houses
        houses = {str(house) for house in _find_houses(situation, board)}
        parts += draw_buildings(situation, at, lambda one: "m" if one in houses else "", picks=True)
        for place in sorted(board.makers):
            shape = board.shapes.get(place)
            if shape is not None and shape.geom_type == "Point":
                x, y = at.point(shape)
                parts.append(
                    f'<circle class="m" data-pick="{board.by}:{escape(place)}" cx="{x:.1f}" cy="{y:.1f}" '
                    f'r="{5 * at.unit:.3g}"><title>{escape(place)}</title></circle>'
                )
        if on is not None and on.geometry is not None:
            shape = on.geometry if on.geometry.area > 0 else on.geometry.buffer(6 * at.unit)
            parts.append(f'<path class="b m on" d="{at.path(shape)}"/>')
    return at.wrap(parts, title)


def _find_houses(situation: Situation, board: Board) -> set[object]:
    chosen = np.array([one in board.makers for one in board.ids], dtype=bool) & situation.in_period
    return set(situation.rows.loc[chosen, "building_id"].dropna())


# What follows what


def _show_links(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    st.subheader(t("bench.links", lang))
    first, second = st.columns(2)
    metres = first.segmented_control(
        t("bench.metres", lang), REACHES_M, default=session.recall("command_metres", DEFAULT_M),
        format_func=lambda n: t("bench.metres_n", lang, n=n), key=f"command_metres_{lang}", required=True,
    )  # fmt: skip
    days = second.segmented_control(
        t("bench.days", lang), REACHES_DAYS, default=session.recall("command_days", DEFAULT_DAYS),
        format_func=lambda n: t("bench.days_n", lang, n=n), key=f"command_days_{lang}", required=True,
    )  # fmt: skip
    metres, days = session.keep("command_metres", metres), session.keep("command_days", days)
    links = find_links(store, viewer, situation.question, float(metres or DEFAULT_M), float(days or DEFAULT_DAYS))
    if links is None:
        show_empty(t("command.nothing_here", lang))
        return
    on = get_chain()
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_drawing(build_links_map(situation, links, title=t("bench.links", lang), on=on), key="command_links_map")
        counts = links.chains.rows["role"].value_counts()
        said = t("command.list_semicolon", lang).join(
            t(f"bench.role_{role}", lang, n=int(counts.get(role, 0))) for role in ROLES
        )
        st.caption(said)
    with right:
        st.markdown(escape_markdown(links.chains.sentence(lang)))
        for chain in links.longest:
            _show_chain(store, viewer, situation, links, chain, is_on=chain.number == on, lang=lang)
    st.markdown(escape_markdown(links.bands.sentence(lang)))
    _show_bands(links, lang)


def _show_chain(
    store: Store, viewer: Viewer, situation: Situation, links: Links, chain: Chain, *, is_on: bool, lang: Language
) -> None:
    said = t(
        "bench.chain", lang, n=chain.size, first=say_date(chain.first), last=say_date(chain.last),
        repeats=chain.repeats, near=chain.near_repeats,
    )  # fmt: skip
    with st.container(border=True, gap="xsmall"):
        st.button(
            escape_markdown(said), key=f"command-chain-{chain.number}", type="tertiary",
            on_click=choose_chain, args=(None if is_on else chain.number,),
        )  # fmt: skip
        if not is_on:
            return
        heads = [t(f"command.head_{name}", lang) for name in ("at", "address")] + [t("bench.head_role", lang)]
        rows = links.rows.iloc[chain.members]
        roles = links.chains.rows["role"].iloc[chain.members]
        cells = [
            [
                format_time(at),
                address if isinstance(address, str) else "",
                t(f"bench.is_{role}", lang),
            ]
            for at, address, role in zip(rows["occurred_from_utc"], rows["address"], roles, strict=True)
        ]
        show_table(heads, cells, narrow=frozenset({0}))
        prefill = Prefill(
            name=t("bench.chain_name", lang), reason=said[:390], wkt=find_chain_outline(links, chain).wkt,
            kinds=situation.question.kinds, incidents=tuple(rows["incident_id"].astype(str)),
        )  # fmt: skip
        with st.container(horizontal=True):
            offer(store, viewer, prefill, f"command_chain_{chain.number}", lang)


def _show_bands(links: Links, lang: Language) -> None:
    """Pairs by how far and how long apart: seen / expected by luck, and how many times as many where that is sure."""
    table = links.bands.rows
    days = list(dict.fromkeys(table["days"]))
    heads = [t("bench.head_distance", lang), *(t("bench.head_days", lang, days=one) for one in days)]
    rows = []
    for distance in dict.fromkeys(table["distance"]):
        own = table[table["distance"] == distance].set_index("days")
        cells = []
        for one in days:
            row = own.loc[one]
            said = f"{int(row['pairs'])} / {row['expected']:.1f}"
            cells.append(said + (t("bench.sure", lang, times=f"{row['ratio']:.1f}") if row["sure"] else ""))
        rows.append([say_distance(str(distance), lang), *cells])
    show_table(heads, rows, narrow=frozenset({0}))
    st.caption(t("bench.bands_text", lang))


def say_distance(code: str, lang: Language) -> str:
    """A band of distance in words."""
    known = {"same unit": "same_unit", "same building": "same_building", "same place": "same_place"}
    return t(f"analysis.{known[code]}", lang) if code in known else t("bench.metres_n", lang, n=code)


# What the police found themselves


def _show_visits(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    st.subheader(t("bench.visits", lang))
    found = find_incidents(store, viewer, sources=("police_found",), since=situation.since, until=situation.until)
    rentals = find_rentals(store, viewer, placed=False)
    grids = find_grids(store, viewer).set_index("grid_id")
    visits = [one if isinstance(one, str) else None for one in found["grid_id"]]
    answer = find_visit_rates(visits, [one for one in rentals["grid_id"] if isinstance(one, str)])
    st.markdown(escape_markdown(answer.sentence(lang)))
    if answer.rows.empty:
        return
    reported = situation.rows.loc[situation.in_period, "grid_id"].value_counts()
    names = grids["name"].fillna(grids["number"].astype(str)).to_dict()
    rows = [
        [
            names.get(row["grid_id"], row["grid_id"]), str(row["visits"]), str(row["rentals"]),
            "" if row["rentals"] == 0 else f"{row['per_100']:.1f} ({row['low']:.1f}–{row['high']:.1f})",
            str(int(reported.get(row["grid_id"], 0))),
        ]
        for row in answer.rows.to_dict("records")
    ]  # fmt: skip
    heads = [t(f"bench.head_{name}", lang) for name in ("grid", "visits", "rentals", "per_100", "reported")]
    show_table(heads, rows, narrow=frozenset({0}))
    st.caption(t("bench.visits_text", lang))
