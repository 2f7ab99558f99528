"""Standard addresses (标准地址): reading, writing, matching and searching them."""

from __future__ import annotations

from data.addresses.aliases import NO_ALIASES, Aliases
from data.addresses.formatting import Spelling, format_address
from data.addresses.parsing import ParsedAddress, parse_address

__all__ = ["NO_ALIASES", "Aliases", "ParsedAddress", "Spelling", "format_address", "parse_address"]
