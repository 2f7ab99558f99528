"""Rows of incidents: times, sources, reporters and words for what was drawn."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import shapely

from sample.categories import KINDS
from sample.drawing import Drawn
from sample.dwellings import Row, grid_id
from sample.place import ADDRESS_PREFIX, AS_OF, HISTORY_DAYS, made_up_phone
from sample.scene import Scene

START = AS_OF.replace(tzinfo=None) - timedelta(days=HISTORY_DAYS)
"""UTC; midnight in Shanghai at which the history begins."""

_PERSISTENT = 4
_CALLS_M = 85.0
_NARRATIVES = {
    "theft": "报警人{name}称停放在此的财物被盗，", "fraud": "报警人{name}称接到自称客服的来电后转账，",
    "violence": "报警人{name}称有人动手，", "dispute": "报警人{name}称与他人发生争执，",
    "noise": "报警人{name}称声音太大影响休息，", "order": "报警人{name}反映有人扰乱秩序，",
    "fire": "报警人{name}称闻到烟味看到火光，", "traffic": "报警人{name}称车辆刮擦堵住道路，",
    "help": "求助人{name}请求到场帮助，", "complaint": "投诉人{name}反映情况，",
}  # fmt: skip
_OUTCOMES = {
    "theft": ("case_opened", "advised"), "fraud": ("case_opened", "advised"), "violence": ("mediated", "case_opened"),
    "dispute": ("mediated", "mediated", "referred"), "noise": ("advised", "mediated"),
    "order": ("advised", "case_opened"), "fire": ("referred", "false_alarm"), "traffic": ("referred", "advised"),
    "help": ("helped", "referred"), "complaint": ("advised", "referred"),
}  # fmt: skip


def build_incidents(
    drawn: Drawn, scene: Scene, grids: dict[int, shapely.Polygon], rng: np.random.Generator
) -> tuple[list[Row], list[dict[str, object]]]:
    """Rows in the order of reporting, and the persistent callers. The key `planted` is for the truth only."""
    frame = drawn.frame.reset_index(drop=True)
    times = _times(frame, rng)
    kept = times["reported"] <= AS_OF.replace(tzinfo=None)
    frame = pd.concat([frame, times], axis=1)[kept].sort_values(["reported", "place", "kind"], kind="stable")
    frame = frame.reset_index(drop=True)
    persons, callers = _reporters(frame, scene, rng)
    numbers = {person: index for index, person in enumerate(dict.fromkeys(persons), start=1)}
    places = scene.places
    at = shapely.points(places[["x", "y"]].to_numpy()[frame["place"].to_numpy()])
    at = shapely.transform(at, lambda xy: xy.round(2))
    grid = np.zeros(len(frame), dtype=int)
    for number, face in grids.items():
        grid[(grid == 0) & shapely.intersects(face, at)] = number
    columns = places.loc[frame["place"], ["building_id", "unit_id", "label"]].to_dict("records")
    rows: list[Row] = []
    for index, (drawn_row, place) in enumerate(zip(frame.to_dict("records"), columns, strict=True)):
        kind = KINDS[drawn_row["kind"]]
        person = numbers[persons[index]]
        name = f"测试甲{person:04d}"
        rows.append(
            {
                "incident_id": f"I{index + 1:05d}", "number": f"JQ{drawn_row['reported']:%Y%m%d}{index + 1:05d}",
                "category": kind.code, "urgency": kind.urgency,
                "source": _source(bool(drawn_row["found"]), kind.hours, rng),
                "reported_utc": drawn_row["reported"], "occurred_from_utc": drawn_row["from"],
                "occurred_to_utc": drawn_row["to"], "closed_utc": drawn_row["closed"], "status": "closed",
                "address_text": _words(str(place["label"]), rng), "building_id": place["building_id"],
                "unit_id": place["unit_id"], "grid_id": grid_id(int(grid[index])),
                "reporter_key": None if drawn_row["found"] else reporter_key(person),
                "reporter_name": None if drawn_row["found"] else name,
                "reporter_phone": None if drawn_row["found"] else made_up_phone(50_000 + person),
                "narrative": _narrative(kind.parent, name, bool(drawn_row["found"])),
                "disposition": str(rng.choice(_OUTCOMES[kind.parent])), "geom": at[index],
                "planted": drawn_row["planted"],
            }
        )  # fmt: skip
    for caller in callers:
        caller["reporter_key"] = reporter_key(numbers[str(caller.pop("person"))])
    return rows, callers


def reporter_key(person: int) -> str:
    """A keyed hash that stands for a caller; the key of the sample is public, its callers do not exist."""
    return hashlib.blake2b(str(person).encode(), key=b"shapan-sample", digest_size=8).hexdigest()


def _times(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Columns from, to, reported and closed, UTC. What nobody saw has an interval and is reported when found."""
    rows: list[tuple[datetime, datetime, datetime, datetime]] = []
    for kind_index, minute, found in zip(frame["kind"], frame["minute"], frame["found"], strict=True):
        kind = KINDS[int(kind_index)]
        begin = START + timedelta(minutes=int(minute))
        end = begin
        if not found and rng.random() < kind.overnight:
            end = begin + timedelta(minutes=int(rng.integers(150, 620)))
        delay = float(rng.exponential(35 if kind.parent == "fraud" else 9)) * (20 if kind.parent == "fraud" else 1)
        reported = end + timedelta(minutes=round(min(delay, 4000)) + (0 if found else 1))
        hours = float(rng.lognormal(0.2 if kind.parent != "theft" else 2.5, 0.8))
        closed = min(reported + timedelta(minutes=round(20 + 60 * min(hours, 240))), AS_OF.replace(tzinfo=None))
        rows.append((begin, end, reported, closed))
    return pd.DataFrame(rows, columns=["from", "to", "reported", "closed"])


def _reporters(
    frame: pd.DataFrame, scene: Scene, rng: np.random.Generator
) -> tuple[list[str], list[dict[str, object]]]:
    """
    Who called, and the persistent callers: most calls about noise and neighbours around them come from one person.

    They change nothing in where and when; they make some of the repeats one person's.
    """
    xy = scene.places[["x", "y"]].to_numpy()
    units = scene.places["unit_id"].tolist()
    persons = [
        f"{unit}/{int(rng.integers(0, 3))}" if isinstance(unit, str) else f"passer/{int(rng.integers(0, 6000))}"
        for unit in (units[place] for place in frame["place"])
    ]
    near_home = [i for i, kind in enumerate(KINDS) if kind.parent in ("noise", "complaint")]
    near_home += [i for i, kind in enumerate(KINDS) if kind.code == "dispute.neighbour"]
    suitable = (frame["kind"].isin(near_home) & ~frame["found"] & frame["planted"].isna()).to_numpy()
    at = xy[frame["place"].to_numpy()]
    callers: list[dict[str, object]] = []
    homes: list[np.ndarray] = []
    counts = np.array([(suitable & (np.hypot(*(at - point).T) <= _CALLS_M)).sum() for point in at])
    for index in np.argsort(-counts, kind="stable"):
        if len(homes) == _PERSISTENT:
            break
        unit = units[int(frame["place"].iloc[index])]
        if not isinstance(unit, str) or any(np.hypot(*(at[index] - home)) < 220 for home in homes):
            continue
        homes.append(at[index])
        near = np.flatnonzero(suitable & (np.hypot(*(at - at[index]).T) <= _CALLS_M))
        own = near[rng.random(len(near)) < 0.7]
        for row in own:
            persons[int(row)] = f"{unit}/persistent"
        callers.append({"person": f"{unit}/persistent", "unit_id": unit, "calls": len(own), "within_m": _CALLS_M})
    return persons, callers


def _source(found: bool, hours: str, rng: np.random.Generator) -> str:
    if found:
        return "police_found"
    counter = 0.16 if hours in ("office", "shop") else 0.05
    return str(rng.choice(["call", "counter", "app"], p=[0.88 - counter, counter, 0.12]))


def _words(label: str, rng: np.random.Generator) -> str:
    """The place as a caller says it."""
    text = label.removeprefix(ADDRESS_PREFIX)
    kind = int(rng.integers(0, 6))
    if kind == 1:
        return text.replace("幢", "栋")
    if kind == 2:
        return text.replace("万户新村", "WH新村").replace("室", "")
    if kind == 3:
        return text.replace("幢", "号楼").removesuffix("室")
    return label if kind == 4 else text


def _narrative(parent: str, name: str, found: bool) -> str:
    if found:
        return "巡逻中发现，现场处置。"
    return _NARRATIVES[parent].format(name=name) + "民警到场处置。"
