"""How old something is, in words: in the unit that one would say it in."""

from __future__ import annotations

from i18n.catalogue import Language, t

_MINUTES_BELOW = 120
_HOURS_BELOW = 48 * 60


def say_age(minutes: int, lang: Language) -> str:
    """`90 min`, `5 h`, `12 days`: whole units, rounded down, from two hours and from two days on."""
    if minutes < _MINUTES_BELOW:
        return t("terms.age_minutes", lang, n=minutes)
    if minutes < _HOURS_BELOW:
        return t("terms.age_hours", lang, n=minutes // 60)
    return t("terms.age_days", lang, n=minutes // (24 * 60))
