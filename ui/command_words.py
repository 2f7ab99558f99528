"""The sentences of the commander's page: counts, the place's own baseline, how likely by luck, and when too little."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely

from data.viewer import Viewer
from i18n import Language, section, t
from incidents.answer import Answer
from incidents.baselines import FEW, MORE
from incidents.knox import say_p
from incidents.zone_effect import Effect
from ui.command_data import Place, Situation, ZoneState
from ui.tables import LOCAL


def say_luck(p: float, lang: Language) -> str:
    """How likely by luck, in words of a percentage."""
    if p < 0.001:
        return t("command.luck_tiny", lang)
    percent = 100 * p
    return t("command.luck", lang, percent=f"{percent:.1f}" if percent < 10 else f"{percent:.0f}")


def say_kind(situation: Situation, code: object, lang: Language) -> str:
    """A kind of incident by its name; the code where it has none."""
    known = situation.kinds
    return str(known.at[code, f"name_{lang}"]) if code in known.index else str(code)


def say_change(change: pd.Series | Mapping[str, Any], weeks: int, lang: Language) -> str:
    """A count against the period before and its own baseline."""
    verdict = str(change["verdict"])
    words = t(f"command.verdict_{verdict}", lang, luck=say_luck(float(change["q"]), lang))
    return t(
        "command.change", lang, weeks=weeks, n=int(change["count"]), last=int(change["last"]),
        baseline=f"{float(change['baseline']):.1f}", verdict=words,
    )  # fmt: skip


def is_beyond_luck(change: pd.Series | None) -> bool:
    """Whether it is more or fewer than usual."""
    return change is not None and change["verdict"] in (MORE, FEW)


def say_dose(zone: ZoneState, lang: Language) -> str:
    """How much patrol was delivered in a zone since its measures began; empty before they do."""
    if zone.dose is None:
        return ""
    if zone.dose.minutes == 0:
        return t("patrol.dose_none", lang)
    week = zone.dose.a_week
    return t(
        "patrol.dose", lang, minutes=f"{zone.dose.minutes:.0f}", week=f"{week:.0f}" if week >= 10 else f"{week:.1f}"
    )


def say_name(place: Place, lang: Language) -> str:
    """A place by its name; an area by what is in it."""
    name = place.hot.name or t("command.unnamed", lang)
    return t("command.area", lang, name=name) if place.hot.kind == "area" else name


def say_hot(place: Place, lang: Language) -> str:
    """Its count against what chance would put there."""
    hot = place.hot
    said = t(
        "command.hot", lang, weeks=place.weeks, n=hot.count, expected=f"{hot.expected:.1f}", luck=say_luck(hot.q, lang)
    )
    if hot.reason == "one_caller":
        said += t("command.one_caller", lang, n=hot.n_same_caller, total=hot.count)
    return said


def say_own(place: Place, weeks: int, lang: Language) -> str:
    """Against itself."""
    return t("command.no_history", lang) if place.change is None else say_change(place.change, weeks, lang)


def say_standing(place: Place, lang: Language) -> str:
    """Whether it lasts; empty where the history is too short to tell."""
    if place.standing is None:
        return ""
    counts = place.standing.counts
    return t(
        f"command.trend_{place.standing.trend}", lang, above=place.standing.above, periods=len(counts),
        counts=" · ".join(map(str, counts)),
    )  # fmt: skip


def say_cluster(situation: Situation, lang: Language) -> str:
    """Since when, around which house, how many where how many are usual, and how often luck would make such a one."""
    answer = situation.cluster
    if answer is None:
        return ""
    figures = answer.figures
    if figures["p"] is None:
        return answer.sentence(lang)
    start = situation.first + timedelta(days=float(str(figures["since_days"])))
    local = start.astimezone(LOCAL)
    p = float(str(figures["p"]))
    return t(
        "bench.cluster_found" if p <= 0.05 else "bench.cluster_chance", lang,
        weekday=t(f"command.weekday_{local.weekday()}", lang), date=f"{local:%m-%d}",
        place=find_cluster_name(situation) or t("command.unnamed", lang), metres=f"{float(str(figures['radius_m'])):g}",
        n=figures["observed"], expected=f"{float(str(figures['expected'])):.1f}", luck=say_luck(p, lang),
        recurrence=say_recurrence(float(str(figures["recurrence_days"])), is_least=_is_least(answer), lang=lang),
    )  # fmt: skip


def _is_least(answer: Answer) -> bool:
    """Whether no shuffle reached what was seen: then luck makes one in so many days, or in more."""
    return float(str(answer.figures["p"])) * (int(str(answer.figures["shuffles"])) + 1) < 1.5


def say_recurrence(days: float, *, is_least: bool, lang: Language) -> str:
    """How long one waits, scanning daily, for such a one by luck."""
    said = t("bench.recurrence_days", lang, n=f"{days:.0f}")
    if days >= 365:
        said = t("bench.recurrence_years", lang, n=f"{days / 365.25:.1f}")
    return t("bench.recurrence_least", lang, said=said) if is_least else said


def find_cluster_name(situation: Situation) -> str:
    """The named house nearest to the middle of the cluster; empty where none is."""
    figures = {} if situation.cluster is None else situation.cluster.figures
    named = situation.buildings[[bool(situation.names.get(str(one))) for one in situation.buildings.index]]
    if "x" not in figures or named.empty:
        return ""
    middle = shapely.Point(float(str(figures["x"])), float(str(figures["y"])))
    apart = shapely.distance(named.geometry.to_numpy(), middle)
    return situation.names[str(named.index[int(np.argmin(apart))])]


def say_effect(effect: Effect | None, lang: Language) -> str:
    """What came of a zone."""
    if effect is None:
        return t("command.effect_no_start", lang)
    words: dict[str, object] = {
        "before": effect.before, "after": effect.after, "usual": f"{effect.usual:.0f}", "ring": f"{effect.ring_m:.0f}",
        "before_weeks": f"{effect.before_days / 7:.0f}", "after_weeks": f"{effect.after_days / 7:.0f}",
        "ring_after": effect.ring_after, "ring_usual": f"{effect.ring_usual:.0f}",
    }  # fmt: skip
    if effect.answer is not None:
        local, ring = effect.answer.figures["local"], effect.answer.figures["ring"]
        words["luck"] = say_luck(float(local["p"]), lang)  # type: ignore[index]
        words["ring_luck"] = say_luck(float(ring["p"]), lang)  # type: ignore[index]
    said = t(f"command.effect_{effect.verdict}", lang, **words)
    return said + (t("command.compared_lot", lang) if effect.compared == "lot" else "")


def say_numbers(effect: Effect, lang: Language) -> str:
    """What the sentence rests on: weighted displacement difference with its interval, and the e-test inside."""
    figures = {} if effect.answer is None else effect.answer.figures
    rounded = {name: f"{float(str(figures[name])):+.1f}" for name in ("wdd", "low", "high")}
    return t("bench.numbers_text", lang, **rounded, p=say_p(float(str(figures["e_test"]))))


def say_status(status: object, lang: Language) -> str:
    """Where an incident is, in words; the code where it has none."""
    return section("bench", lang).get(f"bench.status_{status}") or str(status)


def say_review(zone: ZoneState, today: date, lang: Language) -> str:
    """When it is reviewed, and whether that is over."""
    review = zone.row["review_on"]
    key = "over" if review < today else "today" if review == today else "on"
    return t(f"command.review_{key}", lang, date=review.isoformat())


def say_account(account: object, viewer: Viewer, lang: Language) -> str:
    """Who answers for a zone."""
    if not account:
        return t("command.nobody", lang)
    return str(viewer.name) if account == viewer.account_id and viewer.name else str(account)


def say_date(moment: datetime, *, last: bool = False) -> str:
    """A date in Shanghai; `last`: the last day before `moment`."""
    day = (moment - timedelta(days=1) if last else moment).astimezone(LOCAL)
    return f"{day:%Y-%m-%d}"
