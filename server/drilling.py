"""Making a drill store of a community's store, and the work of its server. For the command line and the entry."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data.backup import make_scratch, read_backup, unpack_database
from data.connecting import DatabaseError, first_line, is_encrypted
from data.drills import ENDING, copy_closed, is_drill, make_drill_of, put_drill_in_place
from data.incident_places import PlaceFinder
from data.intake import KnownNames, mask_at_intake, read_known_names
from data.keys import StoreKey, choose_key
from data.locking import OwnerLock
from data.settings import Settings, check_store_name
from data.store import Clock, Store
from gis.errors import BadFileError, RefusedError, ShapanError, StoreMissingError, StoreWriteError
from incidents.drill_run import DrillRun, build_rows
from incidents.drill_scenario import ScenarioAlarm, read_scenario
from server.intake_checks import KnownKinds
from server.jobs import Job, Scheduler

if TYPE_CHECKING:
    from server.operations import Operations, Report

_LOOK_S = 1.0
_EVERY = timedelta(seconds=_LOOK_S * 0.9)


def build_drill_schedulers(store: Store, clock: Clock, *, look_s: float = _LOOK_S) -> tuple[Scheduler, ...]:
    """What takes the alarms of a drill in; nothing in a store that is none."""
    if not is_drill(store):
        return ()
    return (Scheduler([Job("drill", DrillRun(store, clock).run, every=_EVERY)], clock, look_s=look_s),)


def make_drill(settings: Settings, file: Path, *, force: bool, running: Operations | None, clock: Clock) -> Report:
    """
    Make `NAME-drill` of the settings' store with the scenario in `file`; the original is read and never written.

    Parameters
    ----------
    force
        Replace an earlier drill store of that name; never any other.
    running
        Operations of the server that has the store: the copy is a backup that it makes. None: nobody has it.

    Raises
    ------
    BadFileError
        The scenario cannot be used: every error is named. Nothing was made.
    RefusedError
        A store of the drill's name is there and may not be replaced, or the store is a drill's itself.
    StoreMissingError, StoreInUseError, StoreKeyError, StoreWriteError
        The store cannot be copied, or the copy not be written.
    """
    name = check_store_name(settings.store_name + ENDING)
    path = replace(settings, store_name=name).store_path
    content = _read_file(file)
    if not settings.store_path.exists():
        raise StoreMissingError(
            f"There is no store '{settings.store_name}' in {path.parent}. Choose another with --store NAME."
        )
    _check_replaceable(path, settings, force=force)
    lock = OwnerLock(path, now=clock())
    try:
        with make_scratch(path, "making") as scratch:
            raw, whole = scratch / "raw" / path.name, scratch / "whole" / path.name
            for one in (raw, whole):
                one.parent.mkdir()
            key = _copy(settings, raw, scratch, running, clock)
            with Store(raw, clock=clock, key=key) as store:
                alarms = read_scenario(content, file.name, KnownKinds(store).get())
                unplaced = _find_unplaced(store, alarms)
                known = read_known_names(store)
                rows = [_mask(known, row) for row in build_rows(alarms)]
                kept = make_drill_of(store, rows, scenario=file.name, copied_from=settings.store_name, clock=clock)
            put_drill_in_place(raw, whole, path, key=key)
    except (OSError, DatabaseError) as error:
        if isinstance(error, ShapanError):
            raise
        raise StoreWriteError(
            f"Drill store '{name}' was not made: {first_line(error)}. Make sure that {path.parent} can be written and "
            "has room for two copies, then repeat it."
        ) from error
    finally:
        lock.release()
    return {
        "store": name,
        "drill": True,
        "copied_from": settings.store_name,
        "scenario": file.name,
        "alarms": len(alarms),
        "last_after_s": alarms[-1].after_s,
        "encrypted": is_encrypted(path),
        "rows_kept": kept,
        "without_place": unplaced,
    }


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadFileError(f"{file} cannot be read: {error.strerror}. Give the path of a scenario.") from error


def _check_replaceable(path: Path, settings: Settings, *, force: bool) -> None:
    if not path.exists():
        return
    name = path.stem
    with Store.open_existing(path, key=choose_key(settings, is_encrypted=is_encrypted(path))) as store:
        if not is_drill(store):
            raise RefusedError(f"Store '{name}' is there and is no drill store: it is never replaced. Rename it.")
    if not force:
        raise RefusedError(
            f"There is a drill store '{name}' already. Replace it, its alarms and its report with --force."
        )


def _copy(settings: Settings, raw: Path, scratch: Path, running: Operations | None, clock: Clock) -> StoreKey | None:
    """The community's file at `raw`; returns the key that opens it."""
    if running is None:
        key = choose_key(settings, is_encrypted=is_encrypted(settings.store_path))
        copy_closed(settings.store_path, raw, now=clock())
        return key
    report = running.back_up(scratch / "backup", None, lambda *_: None)
    key = choose_key(settings, is_encrypted=bool(report["encrypted"]))
    unpack_database(read_backup(Path(str(report["file"])), key), raw)
    shutil.rmtree(scratch / "backup", ignore_errors=True)
    return key


def _find_unplaced(store: Store, alarms: tuple[ScenarioAlarm, ...]) -> list[dict[str, object]]:
    """Alarms that will wait for a place: it may be meant so, it is said anyway."""
    finder = PlaceFinder(store)
    found = ((alarm, finder.find(alarm.where)) for alarm in alarms)
    return [
        {"line": alarm.line, "address": alarm.where.address, "reason": place.reason}
        for alarm, place in found
        if not place.is_placed
    ]


def _mask(known: KnownNames, row: dict[str, object]) -> dict[str, object]:
    """Texts of the scenario as any text that comes in: a person whom the community knows is not named in it."""
    texts = {column: row[column] for column in ("address", "said", "expectation")}
    return {**row, **{name: None if text is None else mask_at_intake(known, str(text)) for name, text in texts.items()}}
