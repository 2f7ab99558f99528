"""The tree of kinds of incident."""

from __future__ import annotations

import pandas as pd
import pytest

from gis.errors import BadRecordError
from incidents.kinds import check_colour, list_below, list_groups, map_to_groups, to_parents

TREE = {
    "alarm": None,
    "theft": "alarm",
    "theft.ebike": "theft",
    "theft.home": "theft",
    "help": None,
    "help.other": "help",
    "alone": None,
    "orphan": "not there",
}


def test_groups_stand_over_leaves_wherever_in_the_tree() -> None:
    assert list_groups(TREE) == ["theft", "help", "alone", "orphan"]
    groups = map_to_groups(TREE)
    assert groups == {
        "alarm": "alarm", "theft": "theft", "theft.ebike": "theft", "theft.home": "theft", "help": "help",
        "help.other": "help", "alone": "alone", "orphan": "orphan",
    }  # fmt: skip
    assert list_below(TREE, "alarm") == {"alarm", "theft", "theft.ebike", "theft.home"}


def test_a_circle_ends() -> None:
    circle = {"a": "b", "b": "a", "c": "a"}
    assert list_below(circle, "a") == {"a", "b", "c"}
    assert set(map_to_groups(circle)) == set(circle)


def test_a_frame_as_it_is_read() -> None:
    frame = pd.DataFrame({"category": ["a", "b"], "parent": pd.Series([None, "a"], dtype="str")})
    assert to_parents(frame) == {"a": None, "b": "a"}


# Hues by hand: #ff0000 is 0, #ff6a00 is 25 and #ff6c00 over it, #ff0080 is 330; #b36b6b has a saturation of 0.40.
@pytest.mark.parametrize("colour", ["#ff0000", "#FF6A00", "#f00028"])
def test_the_red_of_an_alarm_is_no_colour_of_a_kind(colour: str) -> None:
    with pytest.raises(BadRecordError, match="kept for open alarms"):
        check_colour(colour)


@pytest.mark.parametrize(("colour", "stored"), [("#FF6C00", "#ff6c00"), ("#b36b6b", "#b36b6b"), ("#ff0080", "#ff0080")])
def test_other_colours_are(colour: str, stored: str) -> None:
    assert check_colour(colour) == stored


@pytest.mark.parametrize("colour", ["", "red", "#fff", "#12345g", "url(x)", "#1234567"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(BadRecordError, match="six hexadecimal digits"):
        check_colour(colour)
