"""Standard addresses (标准地址): reading, writing, matching and searching them."""

from __future__ import annotations

from data.addresses.aliases import NO_ALIASES, Aliases
from data.addresses.candidates import Candidate
from data.addresses.formatting import Spelling, format_address
from data.addresses.matching import AddressMatch, AddressMatcher
from data.addresses.numerals import rank_entrance
from data.addresses.parsing import ParsedAddress, parse_address
from data.addresses.search import PlaceSearch, SearchHit, SearchResult

__all__ = [
    "NO_ALIASES",
    "AddressMatch",
    "AddressMatcher",
    "Aliases",
    "Candidate",
    "ParsedAddress",
    "PlaceSearch",
    "SearchHit",
    "SearchResult",
    "Spelling",
    "format_address",
    "parse_address",
    "rank_entrance",
]
