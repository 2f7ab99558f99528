"""What every page and paper has to say of its store: that it is a drill, or that its data are invented."""

from __future__ import annotations

from data.drills import is_drill
from data.runtime import get_runtime
from i18n import Language, t


def say_marks(lang: Language) -> str:
    """Both marks of the process's store as one line for a paper's frame; empty for a real place's real work."""
    return " · ".join(say_drill(lang) + ([t("table.synthetic", lang)] if get_runtime().is_demo else []))


def say_drill(lang: Language) -> list[str]:
    """One line in a drill store, none elsewhere."""
    return [t("table.drill", lang)] if is_drill(get_runtime().store) else []
