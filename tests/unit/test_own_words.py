"""What Streamlit's widgets say by themselves is known word for word, and said in the page's language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit

from i18n import LANGUAGES, Language, t
from ui.components.words import OWN_WORDS, build_words

SCRIPTS = Path(streamlit.__file__).parent / "static" / "static" / "js"
# React Aria's own words, which its bundle keeps with named parts of the date.
NAMED_BY_PARTS = {"year_of", "month_of", "day_of", "choose_date_in"}


def test_the_installed_streamlit_says_these_words() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.js"))
    for key in OWN_WORDS.keys() - NAMED_BY_PARTS:
        fixed = [part.strip() for part in re.split(r"\{\w+\}", OWN_WORDS[key]) if part.strip()]
        assert fixed, key
        assert [part for part in fixed if part not in scripts] == [], f"{key}: this Streamlit says it otherwise"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_is_said_once_and_from_either_language(lang: Language) -> None:
    words = dict(build_words(lang))
    for key, own in OWN_WORDS.items():
        said = t(f"streamlit.{key}", lang)
        assert words.get(own, own) == said
        assert re.findall(r"\{\w+\}", said) == re.findall(r"\{\w+\}", own)
        assert said not in words  # what was said is not said anew
