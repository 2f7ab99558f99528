"""Addresses that the sample community prints: read back in every spelling, and matched to themselves."""

from __future__ import annotations

import pandas as pd
import pytest

from data.addresses import AddressMatcher, Aliases, PlaceSearch, Spelling, format_address, parse_address
from sample import SampleCommunity


@pytest.fixture(scope="module")
def aliases(sample_community: SampleCommunity) -> Aliases:
    """The sample's other names."""
    return Aliases.from_frame(sample_community.tables["aliases"])


def test_each_is_read_back_in_every_spelling(sample_community: SampleCommunity, aliases: Aliases) -> None:
    texts = sample_community.tables["addresses"]["full_text"]
    assert len(texts) > 5000
    for text in texts:
        parsed = parse_address(text, aliases)
        for style in Spelling:
            spelled = format_address(parsed, style)
            assert parse_address(spelled, aliases) == parsed, spelled


def test_each_is_read_as_its_columns_say(sample_community: SampleCommunity, aliases: Aliases) -> None:
    addresses = sample_community.tables["addresses"]
    numbered = addresses[addresses["building"].notna()]
    assert len(numbered) > 5000
    for row in numbered.itertuples():
        parsed = parse_address(row.full_text, aliases)
        columns = [value if isinstance(value, str) else "" for value in (row.zone, row.building, row.unit, row.room)]
        assert [parsed.zone, parsed.building, parsed.unit, parsed.room] == columns, row.full_text


def test_each_matches_itself_and_its_building_is_found(sample_community: SampleCommunity, aliases: Aliases) -> None:
    tables = sample_community.tables
    addresses = tables["addresses"]
    matcher = AddressMatcher(addresses, aliases, buildings=tables["buildings"])
    for text, address_id in zip(addresses["full_text"], addresses["address_id"], strict=True):
        assert matcher.match(text).address_id == address_id, text
    search = PlaceSearch(addresses, tables["buildings"], tables["key_sites"], tables["grids"], aliases)
    for row in tables["buildings"].itertuples():
        said = f"{row.zone if isinstance(row.zone, str) else ''}{row.name}"
        assert row.building_id in {hit.building_id for hit in search.find(said, limit=50).hits}, said
    for name, site_id in zip(tables["key_sites"]["name"], tables["key_sites"]["site_id"], strict=True):
        assert site_id in {hit.id for hit in search.find(name).hits}, name


def test_what_callers_say_never_leads_to_another_building(sample_community: SampleCommunity, aliases: Aliases) -> None:
    tables = sample_community.tables
    matcher = AddressMatcher(tables["addresses"], aliases, buildings=tables["buildings"])
    incidents: pd.DataFrame = tables["incidents"].dropna(subset="address_text")
    led = 0
    for text, building_id in zip(incidents["address_text"], incidents["building_id"], strict=True):
        match = matcher.match(text, with_candidates=False)
        if match.building_id is not None and match.confidence >= 0.8:
            assert match.building_id == building_id, text
            led += 1
    assert led > 0.7 * len(incidents)
