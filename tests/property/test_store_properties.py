"""What holds of the store and of masking for whatever is written."""

from __future__ import annotations

import string
from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.masking import mask_name, mask_phone, mask_text
from data.store import Store, Transaction
from gis.errors import BadRecordError

# DuckDB's strings cannot hold a NUL or half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.floats(-1e7, 1e7)
POINTS = st.builds(shapely.Point, NUMBERS, NUMBERS)
SHAPES = st.one_of(POINTS, st.builds(lambda p, r: p.buffer(r), POINTS, st.floats(0.01, 500)))
LAND = st.tuples(SHAPES, st.one_of(st.none(), TEXTS), st.one_of(st.none(), NUMBERS))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("properties") / "demo.duckdb") as opened:
        yield opened


@given(rows=st.dictionaries(TEXTS.filter(bool), LAND, max_size=8))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_comes_back(store: Store, rows: dict[str, tuple[object, str | None, float | None]]) -> None:
    frame = gpd.GeoDataFrame(
        {
            "land_id": list(rows),
            "kind": "green",
            "name": [r[1] for r in rows.values()],
            "height_m": [r[2] for r in rows.values()],
        },
        geometry=[r[0] for r in rows.values()],
    ).rename_geometry("geom")

    def replace(transaction: Transaction) -> None:
        transaction.execute("land", "DELETE FROM land")
        transaction.append("land", frame)

    store.write(replace)
    back = store.read_geo("SELECT land_id, name, height_m, ST_AsWKB(geom) AS geom FROM land").set_index("land_id")
    assert set(back.index) == set(rows)
    for land_id, (shape, name, height_m) in rows.items():
        assert back.loc[land_id, "geom"].wkb == shape.wkb
        assert (None if pd.isna(back.loc[land_id, "name"]) else back.loc[land_id, "name"]) == name
        assert (None if pd.isna(back.loc[land_id, "height_m"]) else back.loc[land_id, "height_m"]) == height_m


class OwnError(Exception):
    """Raised by a write on purpose."""


@given(writes=st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=4), st.booleans()), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_write_is_whole_or_nothing_and_revisions_only_rise(
    store: Store, writes: list[tuple[list[int], bool]]
) -> None:
    """The model is a set: a write adds its numbers, or none where it fails or meets one that is there."""
    store.write(lambda t: t.execute("aliases", "DELETE FROM aliases"))
    model: set[int] = set()
    for numbers, fails in writes:

        def add(transaction: Transaction, numbers: list[int] = numbers, fails: bool = fails) -> None:
            for number in numbers:
                transaction.execute("aliases", "INSERT INTO aliases VALUES (?, 'x', 'site')", [str(number)])
            if fails:
                raise OwnError

        before = store.revision()
        collides = len(set(numbers)) < len(numbers) or not model.isdisjoint(numbers)
        if fails or collides:
            with pytest.raises((OwnError, BadRecordError)):
                store.write(add)
            assert store.revision() == before
        else:
            store.write(add)
            model |= set(numbers)
            assert store.revision() == before + bool(numbers)
        assert set(store.read("SELECT alias::INTEGER AS n FROM aliases")["n"]) == model


DIGITS = st.sampled_from(string.digits + "０１２３４５６７８９")
MOBILES = st.tuples(st.sampled_from("1１"), *[DIGITS] * 10).map("".join)
IDENTITIES = st.tuples(*[DIGITS] * 17, st.one_of(DIGITS, st.sampled_from("XxＸ"))).map("".join)
SURROUNDINGS = st.text("甲乙丙，。：电话身份证 的是幢室", max_size=12)


@given(before=SURROUNDINGS, number=st.one_of(MOBILES, IDENTITIES), after=SURROUNDINGS)
def test_no_number_of_a_person_stays_in_free_text(before: str, number: str, after: str) -> None:
    masked = mask_text(before + number + after)
    assert masked == f"{before}***{after}"


@given(text=st.text("甲乙丙幢单元室，。东西abc0123456789", max_size=40))
def test_masking_a_text_twice_changes_nothing_more(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(name=TEXTS, phone=st.one_of(MOBILES, TEXTS))
def test_masks_keep_no_more_than_they_say(name: str, phone: str) -> None:
    masked = mask_name(name)
    assert masked == "" or (masked[1:] == "**" and masked[0] in name)
    digits = [c for c in phone if c.isdigit()]
    assert sum(c.isdigit() for c in mask_phone(phone)) <= (7 if len(digits) >= 8 else 0)
