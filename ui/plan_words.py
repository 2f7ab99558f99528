"""What stands against a plan, in the page's language; what has no code of its own is said in general."""

from __future__ import annotations

from gis.errors import ShapanError
from gis.plan_problems import PlanFileError, PlanProblemError
from i18n import Language, t

_MOST = 6


def say_problem(error: ShapanError, lang: Language) -> str:
    """Why a plan cannot be made."""
    if isinstance(error, PlanProblemError):
        return t(f"plans.why_{error.code}", lang, **error.values)
    return t("plans.why_other", lang)


def say_file_problems(error: ShapanError, lang: Language) -> str:
    """Everything that is wrong with a file of a plan, the first few in words."""
    found = error.problems if isinstance(error, PlanFileError) else ()
    if not found:
        return t("plans.why_other", lang)
    said = [t(f"plans.file_{code}", lang, **values) for code, values in found[:_MOST]]
    if len(found) > _MOST:
        said.append(t("plans.file_more", lang, n=len(found) - _MOST))
    return t("plans.semicolon", lang).join(said)
