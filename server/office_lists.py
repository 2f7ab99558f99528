"""
Lists that an office keeps, from the command line: its kinds of incident, and who carries a radio.

Read and judged by the same rules as on the pages; all of it is written, or nothing and each bad cell is named.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from data.audit import COMMAND_LINE
from data.store import Clock, Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError
from i18n import t
from incidents import kind_tree, roster
from incidents.kind_changes import export_kinds, preview_tree, write_tree
from incidents.sheets import Problem

Report = dict[str, object]
Arguments = Mapping[str, Any]
_OWNER: Final = Viewer(Role.COMMANDER, name=COMMAND_LINE)
_MOST_NAMED: Final = 50


def import_kinds(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, `content` (Base64): a whole tree in the place of the one in force."""
    name, content = _read_file(arguments)
    tree = kind_tree.read_tree(name, content)
    _check(name, preview_tree(store, _OWNER, tree).problems, kind_tree.HEADERS, "kinds")
    done = write_tree(store, _OWNER, tree, clock=clock)
    return {
        "kinds": len(tree.rows),
        "new": sorted(done.new),
        "changed": sorted(done.changed),
        "removed": sorted(done.gone),
        "unchanged": done.same,
        "columns_not_read": list(tree.not_read),
    }


def show_kinds(store: Store, clock: Clock, _: Arguments) -> Report:
    """The tree in force as the CSV that `import_kinds` takes."""
    return {"csv": export_kinds(store, _OWNER, clock=clock).decode("utf-8-sig")}


def import_responders(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, `content` (Base64): by call sign, who is new comes in, who differs is changed; names are not read."""
    name, content = _read_file(arguments)
    read = roster.read_roster(name, content)
    _check(name, read.problems, roster.HEADERS, "forces")
    done = roster.write_roster(store, _OWNER, read, clock=clock)
    return {
        "responders": len(read.rows),
        "new": done.new,
        "changed": done.changed,
        "unchanged": done.same,
        "columns_not_read": list(read.not_read),
    }


def _read_file(arguments: Arguments) -> tuple[str, bytes]:
    try:
        return str(arguments["name"]), base64.b64decode(str(arguments["content"]), validate=True)
    except binascii.Error as error:
        raise BadRecordError(f"The content is not Base64: {error}.") from error


def _check(name: str, problems: Sequence[Problem], headers: Mapping[str, tuple[str, ...]], section: str) -> None:
    if not problems:
        return
    lines = [
        f"line {one.row}, {headers[one.column][0]} ({one.column}){f' {one.value!r}' if one.value else ''}: "
        f"{t(f'{section}.problem_{one.code}', 'en')}"
        for one in problems[:_MOST_NAMED]
    ]
    if len(problems) > _MOST_NAMED:
        lines.append(f"and {len(problems) - _MOST_NAMED} more")
    raise BadRecordError(
        f"{name}: cells that cannot be used: {len(problems)}; nothing was written. Correct them and repeat it.\n"
        + "\n".join(f"  {line}" for line in lines)
    )


OPERATIONS: Final = {
    "kinds-import": import_kinds,
    "kinds-export": show_kinds,
    "responders-import": import_responders,
}
