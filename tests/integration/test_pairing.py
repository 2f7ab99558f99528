"""Paired surfaces: who gets in, what they hear, and that pairing raises nobody's rights."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gis.errors import BadRecordError, RefusedError
from server.pairing import CodeRefusedError, Holder, Pairing, Surface, TooOftenError, Why
from server.pairing_topics import check_message
from tests.fixtures.access import Clock
from tests.fixtures.loops import run_async

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four words that fit"
WALL, DESK, OTHER = (Holder(f"s-{n}", f"10.0.0.{n}") for n in range(3))


class Codes:
    """Codes in a known order."""

    def __init__(self) -> None:
        self._numbers = count(111_111)

    def __call__(self) -> str:
        return str(next(self._numbers))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pairing(clock: Clock) -> Pairing:
    return Pairing(clock, make_code=Codes())


def pair(pairing: Pairing, surface: Surface, holder: Holder, wall: str | None = None) -> tuple[str, str]:
    """Pair one device with a wall, a new one unless it is given; the tokens of wall and device."""
    code, token, _ = pairing.show_code(wall, WALL)
    return token, pairing.join(code, surface, holder)


def is_paired(pairing: Pairing, token: str, holder: Holder) -> bool:
    found_member = pairing.find(token, holder)
    return found_member is not None and not isinstance(found_member, Why)


# The code


def test_a_code_lets_one_device_in_once(pairing: Pairing) -> None:
    code, wall, lasts = pairing.show_code(None, WALL)
    assert lasts == timedelta(minutes=2)
    token = pairing.join(code, Surface.SECOND, DESK)
    assert is_paired(pairing, token, DESK)
    assert is_paired(pairing, wall, WALL)
    for holder in (DESK, OTHER):
        with pytest.raises(CodeRefusedError):
            pairing.join(code, Surface.TABLET, holder)


def test_a_code_is_over_after_two_minutes(pairing: Pairing, clock: Clock) -> None:
    code, wall, _ = pairing.show_code(None, WALL)
    clock.move(seconds=119)
    pairing.join(code, Surface.DESK, DESK)
    code, *_ = pairing.show_code(wall, WALL)
    clock.move(seconds=120)
    with pytest.raises(CodeRefusedError):
        pairing.join(code, Surface.TABLET, DESK)


def test_a_new_code_makes_the_old_one_void(pairing: Pairing) -> None:
    old, wall, _ = pairing.show_code(None, WALL)
    new, same, _ = pairing.show_code(wall, WALL)
    assert same == wall
    with pytest.raises(CodeRefusedError):
        pairing.join(old, Surface.DESK, DESK)
    pairing.join(new, Surface.DESK, DESK)


def test_nobody_joins_as_a_wall(pairing: Pairing) -> None:
    code, *_ = pairing.show_code(None, WALL)
    with pytest.raises(CodeRefusedError):
        pairing.join(code, Surface.WALL, DESK)


def test_who_guesses_is_stopped_and_then_not_even_the_right_code_helps(pairing: Pairing, clock: Clock) -> None:
    code, wall, _ = pairing.show_code(None, WALL)
    for n in range(5):
        with pytest.raises(CodeRefusedError):
            pairing.join(f"{n:06d}", Surface.DESK, DESK)
    for holder in (DESK, Holder("s-9", DESK.address), Holder(DESK.session_id, "10.9.9.9")):  # by session and by address
        with pytest.raises(TooOftenError):
            pairing.join(code, Surface.DESK, holder)
    pairing.join(code, Surface.DESK, OTHER)  # who did not guess still may
    clock.move(minutes=2)
    pairing.join(pairing.show_code(wall, WALL)[0], Surface.TABLET, DESK)


def test_many_who_guess_together_make_every_code_void(pairing: Pairing, clock: Clock) -> None:
    """Twenty tries within the two minutes of a code among a million: one in fifty thousand, whoever many they are."""
    code, wall, _ = pairing.show_code(None, WALL)
    for n in range(20):
        with pytest.raises(CodeRefusedError):
            pairing.join("000000", Surface.DESK, Holder(f"x-{n}", f"10.1.1.{n}"))
    with pytest.raises(TooOftenError):
        pairing.join(code, Surface.DESK, OTHER)
    clock.move(seconds=119)
    with pytest.raises(TooOftenError):
        pairing.join(code, Surface.DESK, OTHER)
    clock.move(minutes=1)
    with pytest.raises(CodeRefusedError):
        pairing.join(code, Surface.DESK, OTHER)
    pairing.join(pairing.show_code(wall, WALL)[0], Surface.DESK, OTHER)


# The group


def test_a_token_is_worth_nothing_with_another_session(pairing: Pairing) -> None:
    _, token = pair(pairing, Surface.DESK, DESK)
    assert pairing.find(token, OTHER) is Why.SESSION
    with pytest.raises(LookupError, match="not paired"):
        pairing.say(token, OTHER, "select", None)


def test_it_ends_with_its_session_and_the_walls_ends_all(pairing: Pairing) -> None:
    wall, desk = pair(pairing, Surface.DESK, DESK)
    _, tablet = pair(pairing, Surface.TABLET, OTHER, wall)
    pairing.end_session(str(DESK.session_id))
    assert pairing.find(desk, DESK) is Why.SESSION
    assert is_paired(pairing, tablet, OTHER)
    pairing.end_session(str(WALL.session_id))
    assert pairing.find(wall, WALL) is Why.SESSION
    assert pairing.find(tablet, OTHER) is Why.WALL_LEFT


def test_it_ends_when_nobody_uses_it_for_a_shift(pairing: Pairing, clock: Clock) -> None:
    wall, desk = pair(pairing, Surface.DESK, DESK)

    async def stay() -> None:
        streams = [pairing.listen(token, holder) for token, holder in ((wall, WALL), (desk, DESK))]
        assert all(streams)
        for _ in range(3):
            clock.move(hours=7)
            pairing.say(desk, DESK, "select", None)
        clock.move(hours=8)
        assert pairing.find(desk, DESK) is Why.IDLE
        assert pairing.find(wall, WALL) is Why.IDLE

    run_async(stay())


def test_a_device_that_was_carried_off_is_forgotten(pairing: Pairing, clock: Clock) -> None:
    wall, tablet = pair(pairing, Surface.TABLET, DESK)

    async def stay() -> None:
        assert pairing.listen(wall, WALL)
        clock.move(hours=1, minutes=59)
        assert is_paired(pairing, tablet, DESK)
        clock.move(minutes=1)
        assert pairing.find(tablet, DESK) is Why.AWAY
        assert is_paired(pairing, wall, WALL)

    run_async(stay())


def test_unpairing_and_a_restart_each_say_why(pairing: Pairing, clock: Clock) -> None:
    wall, desk = pair(pairing, Surface.DESK, DESK)
    pairing.leave(desk, DESK)
    assert pairing.find(desk, DESK) is Why.LEFT
    assert Pairing(clock).find(wall, WALL) is Why.RESTARTED
    assert pairing.find(None, WALL) is None


async def read(stream: Any, name: str) -> dict[str, Any]:
    """The next event of this name; others before it are left."""
    while True:
        text = await asyncio.wait_for(anext(stream), 5)
        if text.startswith(f"event: {name}\ndata: "):
            value: dict[str, Any] = json.loads(text.partition("\ndata: ")[2])
            return value


def test_what_one_says_all_of_its_group_hear_and_no_other_wall(pairing: Pairing) -> None:
    wall, desk = pair(pairing, Surface.DESK, DESK)
    _, second = pair(pairing, Surface.SECOND, OTHER, wall)
    elsewhere, tablet = pair(pairing, Surface.TABLET, OTHER)
    assert elsewhere != wall

    async def follow() -> None:
        tokens = ((wall, WALL), (second, OTHER), (elsewhere, WALL), (tablet, OTHER))
        streams = [pairing.listen(token, holder).stream() for token, holder in tokens]  # type: ignore[union-attr]
        assert [(await read(stream, "hello"))["said"] for stream in streams] == [{}] * 4
        pairing.say(desk, DESK, "select", {"kind": "building", "id": "b1"})
        for stream in streams[:2]:
            heard = (await read(stream, "say"))["select"]
            assert (heard["value"], heard["by"]) == ({"kind": "building", "id": "b1"}, "desk")
        pairing.say(tablet, OTHER, "camera", "whole")
        assert list(await read(streams[2], "say")) == ["camera"]
        # Who comes back hears what was selected, not what the camera was told.
        back = pairing.listen(second, OTHER)
        assert back is not None
        again = back.stream()
        said = (await read(again, "hello"))["said"]
        assert {topic: one["value"] for topic, one in said.items()} == {"select": {"kind": "building", "id": "b1"}}
        pairing.leave(wall, WALL)
        assert await read(streams[1], "gone") == {"why": "wall_left"}

    run_async(follow())


# What may be said


@pytest.mark.parametrize(
    ("surface", "topic", "value"),
    [
        ("wall", "select", {"kind": "building", "id": "b1", "name": "王建国"}),
        ("wall", "select", {"kind": "person", "id": "o1"}),
        ("wall", "select", "王建国 13812341234"),
        ("wall", "select", {"kind": "unit", "id": "u" * 121}),
        ("wall", "select", {"kind": "unit", "id": "a\nb"}),
        ("wall", "select", {"kind": "unit", "id": 7}),
        ("second", "floor", {"building": "b1", "level": 1.5}),
        ("second", "floor", {"building": "b1", "level": True}),
        ("tablet", "layers", {"王建国": True}),
        ("tablet", "layers", {"rentals": "yes"}),
        ("tablet", "layers", {}),
        ("tablet", "camera", "off"),
        ("tablet", "note", "hello"),
    ],
)
def test_nothing_is_passed_on_but_kinds_ids_and_numbers(surface: str, topic: str, value: Any) -> None:
    with pytest.raises(BadRecordError):
        check_message(surface, topic, value)


@pytest.mark.parametrize(("surface", "topic"), [("desk", "camera"), ("second", "layers"), ("desk", "floor")])
def test_each_kind_of_device_says_its_own_things_only(surface: str, topic: str) -> None:
    with pytest.raises(RefusedError, match="only"):
        check_message(surface, topic, None)
