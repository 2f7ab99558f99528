"""
What may be sent to what: rules by kind of incident and kind of responder, as data.

A rule holds for a kind of incident and all below it, until a kind further down has one of its own. At one kind of
incident a rule for a kind of responder goes before the rule for all (`*`). A place's own rules (table sending_rules)
take the place of the product's (sending_rules.csv) cell by cell.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

ALL: Final = "*"


class May(StrEnum):
    """Whether a kind of responder is sent."""

    YES = "yes"
    WITH_POLICE = "with_police"
    NO = "no"


@dataclass(frozen=True)
class Sending:
    """What holds for one kind of responder at one kind of incident; `rule_category` is where that is said."""

    may: May
    rule_category: str
    skill: str | None
    is_skill_needed: bool


@dataclass(frozen=True)
class _Cell:
    may: str | None
    skill: str | None
    skill_needed: bool | None


class SendingRules:
    """Rules of one place: the product's with the place's own over them."""

    def __init__(self, cells: Mapping[tuple[str, str], _Cell]) -> None:
        self._cells = cells

    @classmethod
    def build(cls, own: pd.DataFrame | None = None) -> SendingRules:
        """From a frame of the table's columns (category, kind, may, skill, skill_needed); none: the product's alone."""
        cells = dict(_read_defaults())
        for row in () if own is None else own.astype(object).to_dict("records"):
            key = str(row["category"]), str(row["kind"])
            said = (row["may"], row["skill"], row["skill_needed"])
            cells[key] = _Cell(*(None if pd.isna(value) else value for value in said))
        return cls(cells)

    def find(self, lineage: Sequence[str], kind: str) -> Sending:
        """
        What holds for responders of `kind` at an incident whose kinds are `lineage`, itself first, the top last.

        For a kind that no rule names (a city's own code) the police are sent, others only with them: it may be a knife.
        """
        may, said_at = None, ALL
        skill: str | None = None
        needed: bool | None = None
        for category in (*lineage, ALL):
            for who in (kind, ALL):
                cell = self._cells.get((category, who))
                if cell is None:
                    continue
                if may is None and cell.may is not None:
                    may, said_at = May(cell.may), category
                if skill is None and cell.skill is not None:
                    skill, needed = cell.skill, cell.skill_needed
        return Sending(may or May.WITH_POLICE, said_at, skill, bool(needed))


@cache
def _read_defaults() -> dict[tuple[str, str], _Cell]:
    text = files("incidents").joinpath("sending_rules.csv").read_text(encoding="utf-8")
    return {
        (row["category"], row["kind"]): _Cell(
            row["may"] or None, row["skill"] or None, row["skill_needed"] == "true" if row["skill"] else None
        )
        for row in csv.DictReader(text.splitlines())
    }
