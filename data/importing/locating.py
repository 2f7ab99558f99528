"""Which building and dwelling the rows of a register belong to: by building id, else by address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.addresses import AddressMatch, AddressMatcher, Aliases, ParsedAddress
from data.importing.getting import ColumnGetter
from data.store import Store

_NOWHERE: Final = ParsedAddress()
# When fewer than one in a hundred of so many addresses leads to a building, the file is of another place or no
# addresses.
_TRIAL: Final = 20_000
_SHOWN: Final = 20


@dataclass
class Located:
    """
    Where each row belongs.

    Attributes
    ----------
    building_id, unit_id
        Missing where the row led nowhere.
    parsed
        What was read in the address.
    why
        For rows without building: why, and the nearest addresses.
    """

    building_id: pd.Series
    unit_id: pd.Series
    parsed: list[ParsedAddress]
    why: list[str]


class Locator:
    """The address tree as it will be after this import."""

    def __init__(
        self,
        store: Store,
        addresses: list[pd.DataFrame],
        buildings: pd.DataFrame,
        community: str,
        names: list[pd.DataFrame],
    ) -> None:
        """
        Parameters
        ----------
        addresses
            New rows of `addresses`, on top of the store's.
        buildings
            building_id, name, zone, number of every building.
        names
            New rows of `aliases`, on top of the store's.
        """
        old = store.read("SELECT * EXCLUDE (geom) FROM addresses")
        columns = list(old.columns)
        frames = [old, *(frame.reindex(columns=columns) for frame in addresses)]
        rows = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
        self.addresses = rows.drop_duplicates("address_id", keep="last").reset_index(drop=True)
        self._known = set(buildings["building_id"])
        known = pd.concat([store.read("SELECT * FROM aliases").astype(object), *names], ignore_index=True)
        aliases = Aliases.from_frame(known, communities=[community])
        self._matcher = AddressMatcher(self.addresses, aliases, buildings=buildings, community=community)

    def locate(self, column: ColumnGetter, skip: npt.NDArray[np.bool_]) -> Located:
        """Places of the rows; rows in `skip` (refused for another reason) are not looked for."""
        texts = column("address_text").fillna(_compose(column))
        texts = texts.mask(pd.Series(skip, index=texts.index))
        building: dict[str, str] = {}
        unit: dict[str, str] = {}
        parsed: dict[str, ParsedAddress] = {}
        why: dict[str, str] = {}
        for number, text in enumerate(texts.dropna().unique()):
            if number == _TRIAL and len(building) < _TRIAL // 100:
                break
            # Near addresses cost time and are shown for the first rows only.
            match = self._matcher.match(text, with_candidates=len(why) < _SHOWN)
            if match.building_id is None or "near" in match.findings:
                if len(why) < _SHOWN:
                    why[text] = _why(match)
                continue
            building[text], parsed[text] = match.building_id, match.parsed
            if match.unit_id:
                unit[text] = match.unit_id
        keys = texts.fillna("").tolist()
        return Located(
            self._by_id(column("building_id")).fillna(texts.map(building).astype("str")),
            texts.map(unit).astype("str"),
            [parsed.get(key, _NOWHERE) for key in keys],
            [why.get(key, "no such address" if key else "no address") for key in keys],
        )

    def _by_id(self, ids: pd.Series) -> pd.Series:
        ours = ("b-" + ids).where(("b-" + ids).isin(self._known))
        return ours.fillna(ids.where(ids.isin(self._known)))


def _compose(column: ColumnGetter) -> pd.Series:
    """One address from the columns of building, entrance and room."""
    building, unit, room = column("building"), column("unit"), column("room")
    building = building.mask(building.str.fullmatch(r"[0-9A-Za-z\-]+", na=False), building + "幢")
    unit = unit.mask(~unit.str.contains(r"单元|门|号", regex=True, na=False), unit + "单元")
    room = room.mask(~room.str.contains(r"室|房|库|号", regex=True, na=False), room + "室")
    # 小区 matters where a community has several; the community's own name changes nothing.
    return column("community").fillna("") + column("zone").fillna("") + building + unit.fillna("") + room.fillna("")


def _why(match: AddressMatch) -> str:
    """Why a text led nowhere, without the text itself: it may name a person."""
    near = ", ".join(str(candidate.text) for candidate in match.candidates[:3])
    return match.reason.replace("_", " ") + (f"; nearest: {near}" if near else "")
