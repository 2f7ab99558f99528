"""
Addresses a second on one core: reading, matching, searching.

Ratios of one run: against the least that a program does with such a text, one `re.findall` of its numbers.
Aim: 50,000 addresses read a second. Run with `python -m bench.bench_addresses`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence

from data.addresses import AddressMatcher, Aliases, PlaceSearch, Spelling, format_address, parse_address
from sample import build_community

_NUMBERS = re.compile(r"\d+")
_ROUNDS = 5


def measure_per_s(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """Texts a second of CPU time, the best of some rounds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        for text in texts:
            work(text)
        best = min(best, time.process_time() - start)
    return len(texts) / best


def run() -> dict[str, float]:
    """Figures for `docs/benchmarks.md`."""
    tables = build_community().tables
    aliases = Aliases.from_frame(tables["aliases"])
    addresses = tables["addresses"]
    standard = addresses["full_text"].tolist()
    parsed = [parse_address(text, aliases) for text in standard[::15]]
    mixed = [format_address(address, style) for address in parsed for style in Spelling]
    calls = tables["incidents"]["address_text"].dropna().tolist()
    matcher = AddressMatcher(addresses, aliases, buildings=tables["buildings"])
    search = PlaceSearch(addresses, tables["buildings"], tables["key_sites"], tables["grids"], aliases)

    figures = {
        "least_per_s": measure_per_s(_NUMBERS.findall, mixed),
        "parse_standard_per_s": measure_per_s(lambda text: parse_address(text, aliases), standard),
        "parse_all_spellings_per_s": measure_per_s(lambda text: parse_address(text, aliases), mixed),
        "parse_callers_words_per_s": measure_per_s(lambda text: parse_address(text, aliases), calls),
        "match_standard_per_s": measure_per_s(matcher.match, standard),
        "match_callers_words_per_s": measure_per_s(matcher.match, calls),
        "search_per_s": measure_per_s(search.find, [f"{n}幢" for n in range(1, 60)] + ["网吧", "万户小学", "3网格"]),
    }
    figures["parse_times_the_least"] = figures["least_per_s"] / figures["parse_all_spellings_per_s"]
    figures["parse_over_aim"] = figures["parse_all_spellings_per_s"] / 50_000
    return {name: round(value, 2) for name, value in figures.items()}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
