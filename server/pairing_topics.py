"""
What paired devices say to one another: kinds, ids and numbers, nothing that anybody could read as a sentence.

Whatever else a device sends is refused here, so that no text of one screen ever appears on another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gis.errors import BadRecordError, RefusedError

KINDS: Final = ("building", "unit", "site", "grid")
CAMERA: Final = (
    *("whole", "north", "oblique", "back", "fly", "tour"),
    *("scale-300", "scale-500", "scale-1000", "scale-2000", "closer", "farther"),
)
COLOURS: Final = ("use", "rental", "risk", "suspicion", "visit", "incidents")
RETAINED: Final = frozenset({"select", "floor", "colour", "switches"})
"""What a screen that comes back is told; the rest was an order to the screens that were there."""
_LONGEST_ID = 120
_MOST_SWITCHES = 40


def check_message(surface: str, topic: str, value: Any) -> Any:
    """
    `value` as it is passed on.

    Raises
    ------
    BadRecordError
        There is no such topic, or it says something else.
    RefusedError
        Such a device does not say that.
    """
    if topic not in _TOPICS:
        raise BadRecordError(f"There is no topic '{topic[:40]}': expected one of {', '.join(_TOPICS)}.")
    speakers, check = _TOPICS[topic]
    if surface not in speakers:
        raise RefusedError(f"A {surface} does not say '{topic}': only {', '.join(speakers)} may.")
    return check(value)


def _check_select(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"kind", "id"} or value["kind"] not in KINDS:
        raise BadRecordError(f"A selection is null or kind and id, with a kind of {', '.join(KINDS)}.")
    return {"kind": str(value["kind"]), "id": _check_id(value["id"])}


def _check_floor(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"building", "level"} or not _is_whole(value["level"], -20, 300):
        raise BadRecordError("A floor is null or building and level, a whole number from -20 to 300.")
    return {"building": _check_id(value["building"]), "level": int(value["level"])}


def _check_switches(value: Any) -> dict[str, bool]:
    is_right = isinstance(value, Mapping) and 0 < len(value) <= _MOST_SWITCHES
    if not is_right or not all(
        isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum() and len(name) <= 30
        and isinstance(on, bool) for name, on in value.items()
    ):  # fmt: skip
        raise BadRecordError("Layers are names of layers, each true or false.")
    return dict(value)


def _check_word(allowed: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise BadRecordError(f"Expected one of {', '.join(allowed)}.")
        return str(value)

    return check


def _check_id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isprintable():
        raise BadRecordError(f"An id is a text of 1 to {_LONGEST_ID} printable characters.")
    return value


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


_ALL = ("wall", "second", "desk", "tablet")
_TOPICS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Any], Any]]]] = {
    "select": (_ALL, _check_select),
    "floor": (("wall", "second", "tablet"), _check_floor),
    "colour": (("wall", "second", "tablet"), _check_word(COLOURS)),
    "layers": (("tablet",), _check_switches),
    "switches": (("wall",), _check_switches),
    "camera": (("tablet",), _check_word(CAMERA)),
}
