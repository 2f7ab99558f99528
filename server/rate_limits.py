"""
How much one address, and all together, may ask of a small server in a while: token buckets in bounded memory.

An address has its allowance at once and gets it back little by little. Many phones may come from one address (a
provider's translation of addresses, a station's radio network), so one address may do much; all together keep the
server from drowning. Whoever is sent away is told when to come again.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_ADDRESSES: Final = 20_000
"""Remembered at once, some 4 MB; the one that was not heard of for longest is forgotten first and starts anew."""
_V6_NETWORK: Final = 64
"""One subscriber of IPv6 has a network of so many bits to choose addresses from (RFC 6177)."""


@dataclass(frozen=True)
class Allowance:
    """`at_once` pieces, and `per_s` more each second up to that again."""

    at_once: float
    per_s: float


@dataclass
class _Bucket:
    level: float
    at_s: float

    def find_wait_s(self, cost: float, allowance: Allowance, now_s: float) -> float:
        """Fill up, then say in how many seconds `cost` is there; 0 for now. What costs more than all waits for all."""
        self.level = min(allowance.at_once, self.level + max(0.0, now_s - self.at_s) * allowance.per_s)
        self.at_s = now_s
        return max(0.0, min(cost, allowance.at_once) - self.level) / allowance.per_s


class RateLimits:
    """Allowances of each address and of all; `clock_s` is a clock that never goes back, seconds."""

    def __init__(
        self, each: Allowance, everybody: Allowance, *, clock_s: Callable[[], float], most: int = MOST_ADDRESSES
    ) -> None:
        self._each, self._everybody, self._clock_s, self._most = each, everybody, clock_s, most
        self._whole = _Bucket(everybody.at_once, clock_s())
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def count_addresses(self) -> int:
        """How many are remembered."""
        return len(self._buckets)

    def take(self, address: str, cost: float = 1.0) -> int:
        """Take `cost` of an address's allowance; 0, or after how many seconds to come again: then nothing is taken."""
        now_s = self._clock_s()
        bucket = self._find(address, now_s)
        wait_s = max(
            bucket.find_wait_s(cost, self._each, now_s), self._whole.find_wait_s(cost, self._everybody, now_s)
        )  # fmt: skip
        if wait_s > 0:
            return math.ceil(wait_s)
        bucket.level -= cost
        self._whole.level -= cost
        return 0

    def charge(self, address: str, cost: float) -> None:
        """Take what was used in any case, down to nothing: for requests that turned out to be none."""
        bucket = self._find(address, self._clock_s())
        bucket.level = max(0.0, bucket.level - cost)

    def _find(self, address: str, now_s: float) -> _Bucket:
        key = to_network(address)
        bucket = self._buckets.pop(key, None) or _Bucket(self._each.at_once, now_s)
        self._buckets[key] = bucket
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


def to_network(address: str) -> str:
    """What counts as one address: of IPv6 the network of a subscriber, anything else as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _V6_NETWORK), strict=False).network_address)
    return str(found)
