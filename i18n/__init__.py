"""The one zh/en catalogue of every string on screen."""

from i18n.ages import say_age
from i18n.catalogue import LANGUAGES, Language, check_language, section, t, term

__all__ = ["LANGUAGES", "Language", "check_language", "say_age", "section", "t", "term"]
