"""The places of a new patrol plan: which, what must be seen, counted how much, and fixed points with their hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import streamlit as st

from i18n import Language, t
from ui.patrol_data import Candidate, get_shift

TIMES: Final = (0.5, 0.75, 1.5, 2.0, 3.0)
"""How many times what is reckoned: what somebody knows corrects the figures, it does not take their place."""
LEAST_REASON, MOST_REASON = 4, 80


def ask_places(
    candidates: Sequence[Candidate], shift: tuple[datetime, datetime], lang: Language
) -> list[Candidate] | None:  # fmt: skip
    """The chosen places with what is wished of them; None where a weight was changed without a reason."""
    names = {one.wish.place_id: _say_place(one, lang) for one in candidates}
    spots = [one.wish.place_id for one in candidates if one.wish.kind != "fixed"]
    fixed = [one.wish.place_id for one in candidates if one.wish.kind == "fixed"]
    default = [one.wish.place_id for one in candidates if one.is_open_then]
    # All that is chosen is seen at once, and "select all" of the renderer is in English only.
    words: dict[str, Any] = {
        "format_func": lambda one: names[one], "placeholder": t("patrol.choose", lang), "wrap": True,
        "select_all": False,
    }  # fmt: skip
    key = f"{shift[0]:%m%d%H%M}_{lang}"
    chosen = st.multiselect(
        t("patrol.places", lang), spots, default=default, key=f"patrol_places_{key}",
        help=t("patrol.places_help", lang), **words,
    )  # fmt: skip
    first, second = st.columns(2)
    must = first.multiselect(t("patrol.must", lang), chosen, key=f"patrol_must_{key}", **words)
    joint_default = [one.wish.place_id for one in candidates if one.wish.needs_joint and one.wish.place_id in chosen]
    joint = second.multiselect(
        t("patrol.only_joint", lang), chosen, default=joint_default, key=f"patrol_only_joint_{key}", **words
    )
    weights = _ask_weights(chosen, words, key, lang)
    points = st.multiselect(
        t("patrol.fixed", lang), fixed, key=f"patrol_fixed_{key}", help=t("patrol.fixed_help", lang), **words,
    )  # fmt: skip
    windows = {one: _ask_window(names[one], one, shift, lang) for one in points}
    if any(len(reason) < LEAST_REASON for _, reason in weights.values()):
        return None
    by_id = {one.wish.place_id: one for one in candidates}
    return [
        *(
            _wish(_reweigh(by_id[one], *weights.get(one, (1.0, ""))), must=one in must, needs_joint=one in joint)
            for one in chosen
        ),
        *(_wish(by_id[one], must=True, needs_joint=False, hours_utc=(windows[one],)) for one in points),
    ]


def _ask_weights(
    chosen: Sequence[str], words: Mapping[str, Any], key: str, lang: Language
) -> dict[str, tuple[float, str]]:  # fmt: skip
    """Places that the planner counts more or less than they are reckoned: how many times, and why."""
    changed = st.multiselect(
        t("patrol.reweigh", lang), chosen, key=f"patrol_reweigh_{key}", help=t("patrol.reweigh_help", lang), **words
    )  # fmt: skip
    found = {}
    for one in changed:
        first, second, third = st.columns([3, 1, 3], vertical_alignment="bottom")
        first.markdown(f"**{words['format_func'](one).replace('*', '')}**")
        times = second.selectbox(
            t("patrol.reweigh_times", lang), TIMES, index=TIMES.index(2.0), format_func=lambda times: f"× {times:g}",
            key=f"patrol_times_{one}",
        )  # fmt: skip
        reason = third.text_input(t("patrol.reweigh_reason", lang), max_chars=MOST_REASON, key=f"patrol_why_{one}")
        found[one] = (float(times), " ".join(reason.split()))
    return found


def _reweigh(one: Candidate, times: float, reason: str) -> Candidate:
    return _wish(one, weight=one.wish.weight * times, times=times, reason=reason) if reason else one


def _wish(one: Candidate, **values: Any) -> Candidate:
    return replace(one, wish=replace(one.wish, **values))


def _ask_window(
    name: str, place_id: str, shift: tuple[datetime, datetime], lang: Language
) -> tuple[datetime, datetime]:
    """Between which hours a fixed point is seen; the shift's, until somebody says otherwise."""
    first, second, third = st.columns([3, 2, 2], vertical_alignment="bottom")
    first.markdown(f"**{name.replace('*', '')}**")
    begin = second.time_input(
        t("patrol.fixed_from", lang), value=shift[0].time(), step=900, key=f"patrol_at_{place_id}"
    )
    end = third.time_input(t("patrol.fixed_to", lang), value=shift[1].time(), step=900, key=f"patrol_by_{place_id}")
    window = get_shift(shift[0].date(), (begin, end))
    if window[0] < shift[0] and window[1] <= shift[0]:  # after midnight of a shift that goes on into the next day
        window = (window[0] + timedelta(days=1), window[1] + timedelta(days=1))
    return max(window[0], shift[0]), min(window[1], shift[1])


def _say_place(one: Candidate, lang: Language) -> str:
    wish = one.wish
    kind = t(f"patrol.kind_{wish.kind}", lang)
    weight = t("patrol.weight", lang, weight=f"{wish.weight:g}") if wish.weight != 1 else ""
    then = "" if one.is_open_then or wish.kind == "fixed" else t("patrol.not_then", lang)
    return " · ".join(part for part in (kind, wish.name, weight, then) if part)
