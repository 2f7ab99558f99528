"""Columns about persons: refused until there is a sign-in, or left out when the user says so."""

from __future__ import annotations

import re
from typing import Final

from data.importing.columns import find_person_columns, find_text_columns, match_columns, to_text
from data.importing.kinds import Kind
from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from gis.errors import RefusedError

# OpenStreetMap's tags about people and their numbers, inside the `other_tags` column.
_PERSON_TAGS: Final = r'"(?:[a-z:_]*(?:phone|mobile|email|fax)|contact:[a-z_]+|operator|owner)"=>"[^"]*",?'
_TEXT_KINDS: Final[frozenset[Kind]] = frozenset({"incident", "rental", "unit", "key_site", "gate"})


def check_persons(layers: list[Layer], options: ImportOptions, report: ImportReport) -> None:
    """
    Take columns about persons and free text out of the layers.

    Raises
    ------
    RefusedError
        There are columns about persons and the user did not ask to leave them out; names all of them.
    """
    found: dict[str, list[str]] = {}
    for layer in layers:
        if layer.kind is None or options.allow_persons:
            continue
        identifiers = match_columns(layer.kind, list(layer.frame.columns)).get("id", [])
        persons = find_person_columns(layer.frame, identifiers)
        # A telephone in a remark is a reason to leave the remark out, which happens anyway.
        texts = find_text_columns(list(layer.frame.columns))
        persons = [column for column in persons if column not in texts]
        if persons:
            found[layer.source] = persons
        _drop_text(layer, texts, report)
        _drop_tags(layer, report)
    if found and not options.drop_persons:
        named = "; ".join(f"{source}: {', '.join(columns)}" for source, columns in found.items())
        raise RefusedError(
            f"Columns about persons are not imported until there is a sign-in: {named}. Take these columns out, or "
            "import the rest with --drop-persons."
        )
    for layer in layers:
        for column in found.get(layer.source, []):
            report.add(
                "left_out", "person_column", layer.source, f"values of the column '{column}', which is about persons",
                count=int(to_text(layer.frame[column]).notna().sum()),
            )  # fmt: skip
        layer.frame = layer.frame.drop(columns=found.get(layer.source, []))


def _drop_text(layer: Layer, texts: list[str], report: ImportReport) -> None:
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
