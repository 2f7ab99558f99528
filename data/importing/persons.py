"""Columns about persons: refused, left out, or taken aside for the fields that the schema has, as the user says."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import pandas as pd

from data.accounts import is_administered
from data.importing.columns import (
    ID_NUMBER,
    MOBILE_NUMBER,
    coalesce,
    find_listed,
    find_person_columns,
    find_text_columns,
    match_columns,
    to_text,
)
from data.importing.kinds import Kind
from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from data.importing.times import SHANGHAI
from data.masking import mask_text
from data.moments import to_stored_time
from data.secret_files import get_key
from data.settings_store import read_settings
from data.store import Store
from gis.errors import RefusedError

# OpenStreetMap's tags about people and their numbers, inside the `other_tags` column.
_PERSON_TAGS: Final = r'"(?:[a-z:_]*(?:phone|mobile|email|fax)|contact:[a-z_]+|operator|owner)"=>"[^"]*",?'
# Field of the schema → what the spellings of `column_aliases.csv` call it, in order of preference.
_FIELDS: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = {
    "unit": {"owner_name": ("owner_name",), "owner_phone": ("owner_phone", "contact_phone")},
    "rental": {
        "landlord_name": ("landlord_name", "owner_name"),
        "landlord_phone": ("landlord_phone", "owner_phone", "contact_phone"),
    },
    "key_site": {"contact_name": ("contact_name",), "contact_phone": ("contact_phone",)},
    "incident": {
        "reporter_name": ("reporter_name",),
        "reporter_phone": ("reporter_phone", "contact_phone"),
        "narrative": ("narrative",),
    },
}
_OCCUPANT_FIELDS: Final = ("name", "phone", "identity", "born_on", "age")
_MOBILE_DIGITS: Final = 11
_SHORTEST_PHONE: Final = 7


@dataclass(frozen=True)
class PersonRules:
    """
    What builders need for persons' fields of one store.

    `today` is the day of the import in Asia/Shanghai; callers of incidents before `callers_from` (naive UTC) and
    people who moved out before `moved_from` are over by the store's retention and do not come in again.
    """

    today: date
    callers_from: datetime
    moved_from: date
    identity_key: bytes
    occupant_key: bytes
    caller_key: bytes

    @classmethod
    def build(cls, store: Store, now: datetime) -> PersonRules:
        """Rules of `store` at `now` (aware)."""
        settings = read_settings(store)
        return cls(
            now.astimezone(SHANGHAI).date(),
            to_stored_time(now - timedelta(days=settings.retention_caller_days)),
            to_stored_time(now - timedelta(days=settings.retention_moved_out_days)).date(),
            get_key(store, "identity"),
            get_key(store, "occupant ids"),
            get_key(store, "callers"),
        )

    def build_reporter_keys(self, phones: pd.Series) -> pd.Series:
        """Keyed hash of each telephone number, however it is written; missing where it is none."""
        digits = phones.str.replace(r"[^0-9]", "", regex=True).str.slice(-_MOBILE_DIGITS)
        digits = digits.where(digits.str.len() >= _SHORTEST_PHONE)
        keys = {d: hmac.new(self.caller_key, d.encode(), "sha256").hexdigest() for d in digits.dropna().unique()}
        return digits.map(keys).astype("str")


def check_options(options: ImportOptions) -> None:
    """`RefusedError` when persons are asked for and against at once."""
    if options.with_persons and options.drop_persons:
        raise RefusedError(
            "Persons are to be kept and to be left out: give --with-persons or --drop-persons, not both."
        )


def check_store(store: Store) -> None:
    """`RefusedError` unless this store may take persons: it is real, administered and encrypted."""
    name = store.path.stem
    rows = store.read("SELECT synthetic FROM community")
    if len(rows) and bool(rows["synthetic"].iloc[0]):
        raise RefusedError(
            f"Store '{name}' holds the synthetic sample, which takes no real person: import the place into a store of "
            "its own first, with shapan import FOLDER --drop-persons --store NAME."
        )
    if rows.empty:
        raise RefusedError(
            f"Store '{name}' holds no place yet and takes no person: import the map first, with shapan import FOLDER "
            f"--drop-persons --store {name}."
        )
    if not store.is_encrypted:
        raise RefusedError(
            f"Store '{name}' is not encrypted and takes no person: encrypt it first, with shapan encrypt --store "
            f"{name}."
        )
    if not is_administered(store):
        raise RefusedError(
            f"Store '{name}' has no administrator and takes no person: add one first, with shapan user add NAME --role "
            f"admin --store {name}."
        )


def take_persons(layers: list[Layer], options: ImportOptions, report: ImportReport) -> None:
    """
    Take columns about persons and free text out of the layers; with `with_persons` known fields go to `layer.persons`.

    Raises
    ------
    RefusedError
        There are columns about persons and the user said nothing about them; names all of them.
    """
    found: dict[str, list[str]] = {}
    for layer in layers:
        if layer.kind is None:
            continue
        texts = find_text_columns(list(layer.frame.columns))
        _drop_tags(layer, report)
        if options.with_persons:
            used = _keep_fields(layer)
            _mask_cells(layer, report)
            texts = [column for column in texts if column not in used]
            layer.frame = layer.frame.drop(columns=used)
        columns = _find_columns(layer, texts)
        if columns and (options.with_persons or options.drop_persons):
            _drop_columns(layer, columns, report)
        elif columns:
            found[layer.source] = columns
        _drop_text(layer, texts, report)
        if layer.kind == "occupant" and options.drop_persons:
            report.add(
                "left_out", "occupants", layer.source, "records of persons who live here", count=len(layer.frame)
            )
            layer.kind = None
    if found:
        named = "; ".join(f"{source}: {', '.join(columns)}" for source, columns in found.items())
        raise RefusedError(
            f"These files hold persons: {named}. Import the rest with --drop-persons, or keep them with "
            "--with-persons in a store that is encrypted and has an administrator."
        )


def _find_columns(layer: Layer, texts: list[str]) -> list[str]:
    """Columns about persons; of a table of persons all."""
    if layer.kind == "occupant" and layer.persons is None:
        return [str(column) for column in layer.frame.columns]
    own = match_columns(layer.kind or "", list(layer.frame.columns))
    # With persons, cells of our own columns were looked at one by one: of these no column is given up.
    spared = own.get("id", []) if layer.persons is None else [c for columns in own.values() for c in columns]
    persons = find_person_columns(layer.frame, spared)
    # A telephone in a remark is a reason to leave the remark out, which happens anyway.
    return [column for column in persons if column not in texts]


def _keep_fields(layer: Layer) -> list[str]:
    """Set `layer.persons`; returns the columns of the file that went into it."""
    names = list(layer.frame.columns)
    matched: dict[str, list[str]] = {}
    if layer.kind == "occupant":
        own = match_columns("occupant", names)
        matched = {field: own[field] for field in _OCCUPANT_FIELDS if field in own}
    elif layer.kind is not None and layer.kind in _FIELDS:
        somebody_else = find_listed(names, "person_name")
        for field, spoken in _FIELDS[layer.kind].items():
            # A bare 联系电话 beside a tenant's name may be the tenant's.
            sure = [word for word in spoken if word != "contact_phone" or not somebody_else or layer.kind == "incident"]
            columns = [column for word in sure for column in find_listed(names, word)]
            if columns:
                matched[field] = columns
    layer.persons = pd.DataFrame(
        {field: coalesce(layer.frame, columns) for field, columns in matched.items()}, index=layer.frame.index
    )
    return [column for columns in matched.values() for column in columns]


def _mask_cells(layer: Layer, report: ImportReport) -> None:
    """Numbers of persons that slipped into another of our columns: masked in addresses, taken out elsewhere."""
    own = match_columns(layer.kind or "", list(layer.frame.columns))
    for field, columns in own.items():
        # The words of a caller are masked at intake, their original sealed; ids of alarms look like identity numbers.
        if (layer.kind == "incident" and field == "address_text") or field in ("id", "number"):
            continue
        for column in columns:
            text = to_text(layer.frame[column])
            hit = text.str.contains(f"{ID_NUMBER}|{MOBILE_NUMBER}", regex=True, na=False)
            if not hit.any():
                continue
            masked = (
                text.map(mask_text, na_action="ignore") if field == "address_text" else pd.Series(pd.NA, text.index)
            )
            layer.frame[column] = text.where(~hit, masked).astype("str")
            report.add_mask(
                "left_out",
                "number_in_cell",
                layer.source,
                f"values of the column '{column}' with a telephone or identity number, which was taken out",
                hit.to_numpy(dtype=bool),
                layer.labels(),
            )


def _drop_columns(layer: Layer, columns: Iterable[str], report: ImportReport) -> None:
    for column in columns:
        report.add(
            "left_out", "person_column", layer.source, f"values of the column '{column}', which is about persons",
            count=int(to_text(layer.frame[column]).notna().sum()),
        )  # fmt: skip
    layer.frame = layer.frame.drop(columns=list(columns))


def _drop_text(layer: Layer, texts: list[str], report: ImportReport) -> None:
    texts = [column for column in texts if column in layer.frame]
    for column in texts:
        count = int(to_text(layer.frame[column]).notna().sum())
        report.add(
            "left_out",
            "free_text",
            layer.source,
            f"values of the column '{column}': free text may name anybody",
            count=count,
        )
    layer.frame = layer.frame.drop(columns=texts)


def _drop_tags(layer: Layer, report: ImportReport) -> None:
    if "other_tags" not in layer.frame:
        return
    tags = to_text(layer.frame["other_tags"])
    personal = tags.str.contains(_PERSON_TAGS, regex=True, na=False)
    if personal.any():
        layer.frame["other_tags"] = tags.str.replace(_PERSON_TAGS, "", regex=True, flags=re.IGNORECASE)
        report.add_mask(
            "left_out", "person_tags", layer.source, "records with tags about telephones or owners", personal.to_numpy()
        )
