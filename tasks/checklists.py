"""Checklists (检查表): what to look at, item by item, in both languages; a table that an office may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data.rule_tables import parse_rows, read_rule_table
from data.store import Store
from gis.errors import BadRecordError

OTHER = "other"
"""A finding that is no item of the checklist."""


@dataclass(frozen=True)
class Item:
    """One thing to look at: its code in a task's answers, and its words by language."""

    code: str
    text_zh: str
    text_en: str

    def say(self, lang: str) -> str:
        """Its words in `lang`."""
        return (self.text_en if lang == "en" else self.text_zh) or self.text_zh


def parse_checklists(text: str) -> dict[str, tuple[Item, ...]]:
    """Checklists of a table by name, items in its order; `BadRecordError` names a row without code or words."""
    lists: dict[str, dict[str, Item]] = {}
    for number, row in enumerate(parse_rows("checklists", text), start=2):
        items = lists.setdefault(row["checklist"], {})
        if not row["checklist"] or not row["item"] or not row["text_zh"] or row["item"] in items:
            raise BadRecordError(
                f"Rule table 'checklists', row {number} ('{row['item'][:40]}'): a name or word is missing, or the item "
                "is there twice. Give each item of a list its own code and Chinese words."
            )
        items[row["item"]] = Item(row["item"], row["text_zh"], row["text_en"])
    return {name: tuple(items.values()) for name, items in lists.items()}


def read_checklists(store: Store) -> dict[str, tuple[Item, ...]]:
    """Every checklist in force by its name."""
    return parse_checklists(read_rule_table(store, "checklists"))


def list_items(store: Store, checklist: str | None) -> tuple[Item, ...]:
    """Items of a checklist; none for a task without one, or with one that is not known here."""
    return read_checklists(store).get(checklist or "", ())


def say_item(store: Store, code: str, lang: str) -> str | None:
    """Words of an item wherever it stands, None for one that is not known."""
    return next(
        (item.say(lang) for items in read_checklists(store).values() for item in items if item.code == code), None
    )


def find_words(lists: Mapping[str, tuple[Item, ...]], checklist: str | None, lang: str) -> dict[str, str]:
    """Words of every item by code: as the task's own checklist has it, else as the first list that has it."""
    words: dict[str, str] = {}
    for items in (lists.get(checklist or "", ()), *lists.values()):
        for item in items:
            words.setdefault(item.code, item.say(lang))
    return words
