"""Other names of the community, its zones, buildings and sites, made ready for the parser."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from data.addresses.grammar import NUMERAL, ROAD_WORD, STEMS, ZONE, compile_tail, fold
from data.addresses.numerals import to_zone

_ROAD = re.compile(ROAD_WORD)
_ZONE = re.compile(ZONE)


class Aliases:
    """
    Table of other names (columns of `aliases`), folded and compiled once.

    Parameters
    ----------
    rows
        (alias, canonical, kind), kind one of community, zone, building, site. Other kinds are ignored.
    communities
        Names by which the community itself is known; the canonical names of `rows` are known anyway.
    zones
        Names of zones that do not look like one (桂花园); 西区, A区 and 3区 need no entry.
    """

    def __init__(
        self,
        rows: Iterable[tuple[str, str, str]] = (),
        *,
        communities: Iterable[str] = (),
        zones: Iterable[str] = (),
    ) -> None:
        """Compile the tables."""
        self.rows: tuple[tuple[str, str, str], ...] = tuple((str(a), str(c), str(k)) for a, c, k in rows)
        self.communities = self._table("community", communities)
        self.zones = self._table("zone", zones)
        # 三区 of the table is said as 3区 too.
        for zone in list(self.zones.values()):
            if _ZONE.fullmatch(zone):
                self.zones.setdefault(to_zone(zone).upper(), zone)
        self.buildings = self._table("building", ())
        self.sites = self._table("site", ())
        self.tail = compile_tail(list(self.zones))
        self._community = _alternatives(self.communities)
        # A name ends where no further character follows: 万户小学 is not in 万户小学食堂, but in 万户小学三单元.
        renamed = {k: v for k, v in self.buildings.items() if k != v.upper()}
        self._building = _alternatives(renamed, rf"(?![\u3400-\u9fff])|(?=[{NUMERAL}{STEMS}])")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, communities: Iterable[str] = (), zones: Iterable[str] = ()) -> Aliases:
        """Aliases of the store's table: columns alias, canonical, kind."""
        rows = zip(frame["alias"], frame["canonical"], frame["kind"], strict=True)
        return cls(rows, communities=communities, zones=zones)

    def knowing(self, *, communities: Iterable[str] = (), zones: Iterable[str] = ()) -> Aliases:
        """The same aliases with more names known."""
        return Aliases(
            self.rows,
            communities=[*self.communities.values(), *communities],
            zones=[*self.zones.values(), *zones],
        )

    def _table(self, kind: str, names: Iterable[str]) -> dict[str, str]:
        table: dict[str, str] = {}
        for name in [c for _, c, k in self.rows if k == kind] + list(names):
            if folded := fold(name):
                table[folded.upper()] = folded
        # An alias wins over a name that is spelled the same.
        for alias, canonical, k in self.rows:
            if k == kind and fold(alias) and fold(canonical):
                table[fold(alias).upper()] = fold(canonical)
        return table

    def find_community(self, text: str) -> tuple[int, int, str] | None:
        """(start, end, canonical) of the community's name in folded text; None when it is not there."""
        if self._community is None:
            return None
        for match in self._community.finditer(text):
            if _ROAD.match(text, match.end()):
                continue  # a road named after the place
            if text.startswith("社区", match.end()) and self._community.search(text, match.end()):
                continue  # 万户社区万户新村: the neighbourhood comes before the name
            return match.start(), match.end(), self.communities[match[0].upper()]
        return None

    def replace_building(self, text: str, start: int) -> str:
        """Folded text with another name of a building, standing at `start`, replaced by its canonical one."""
        if self._building is None or (match := self._building.match(text, start)) is None:
            return text
        canonical = self.buildings[match[0].upper()]
        word = "幢" if canonical.isdecimal() else ""
        return f"{text[:start]}{canonical}{word}{text[match.end() :]}"


def _alternatives(names: Iterable[str], ending: str = "") -> re.Pattern[str] | None:
    longest_first = sorted(names, key=len, reverse=True)
    if not longest_first:
        return None
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?:{ending})", re.IGNORECASE)


NO_ALIASES = Aliases()
