"""docs/benchmarks.md from the figures of one run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import psutil

Figures = dict[str, Any]
_PACKAGES = ("streamlit", "pydeck", "duckdb", "geopandas", "shapely", "pyogrio", "numpy", "pandas")
_WORKS = {
    "open": "open",
    "insert_one": "insert and commit one row",
    "query_one": "one building by its id, with its geometry",
    "scan": "scan of all occupants",
    "insert_many": "insert 50,000 rows in one transaction",
    "backup": "backup, read back and compared",
    "close": "close: the log is folded in",
}
_HEAD = """# Benchmarks

Written by `make bench`; every ratio is of one run, ours and the peer's taken one after the other. Repeat it with
`make bench`, a part of it with `.venv/bin/python -m bench --only live` (or `first-frame`, `import`, `addresses`,
`hotspots`, `encryption`, `statistics`, `dispatch`); with `--write` a part replaces its own figures below and leaves the
others. The 20,000 buildings are the 101 of a real community, repeated on a lattice of 14 × 14, imported by the
product's own import; their files are looked for where `SHAPAN_TEST_DATA` says. Close other programs: times of the
clock suffer most, times of the processor less, ratios least. The load beside each part is how many programs wanted
the processor on average in the minutes before; on two cores a figure of the clock at a load of 4 is about twice what
it is at rest.
"""


def describe_machine(browser: str) -> str:
    """Cores, memory and versions; no names of machines or folders."""
    cores = psutil.cpu_count(logical=True)
    memory_gb = psutil.virtual_memory().total / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"Machine: {cores} cores, {memory_gb:.0f} GB, {platform.system()}, no graphics card (drawing in software). "
        f"Python {platform.python_version()}, {packages}; {browser}.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def _load(figures: Figures) -> str:
    return f"Load while measured: {figures['load']:.1f}.\n"


def _say(value: float | None, unit: str, digits: int = 1) -> str:
    return "–" if value is None else f"{value:,.{digits}f} {unit}"


def write_live(figures: Figures) -> str:
    """A live change."""
    rows = []
    for place, changes in figures["places"].items():
        peer = changes["peer"]
        for change, ours in changes.items():
            if change == "peer":
                continue
            biggest = next(iter(ours["by_path"].items()), ("–", 0))
            rows.append(
                (
                    place,
                    change,
                    f"{ours['bytes']:,}",
                    f"{biggest[0].removeprefix('/scene/')} {biggest[1]:,}",
                    f"{ours['server_ms']:.0f}",
                    f"{max(ours['server_ms'] - ours['commit_ms'], 0):.0f}",
                    f"{ours['server_ms_most']:,.0f}",
                    f"{peer['bytes']:,}",
                    f"{peer['server_ms']:,.0f}",
                    f"{peer['bytes'] / max(ours['bytes'], 1):,.0f} ×",
                    f"{peer['server_ms'] / max(ours['server_ms'], 0.1):,.0f} ×",
                )
            )
    head = (
        "place", "what changes", "bytes", "of them most", "server ms", "of them not commit", "worst round",
        "inline bytes", "inline server ms", "bytes, inline / ours", "time, inline / ours",
    )  # fmt: skip
    return (
        "\n## One live thing changes\n\nAn open wall in Chromium, a row written in the server, and all that the "
        "browser then receives: events, scene files as compressed, websocket. Server time is of the processor, commit "
        "and compression included; then without what a durable write costs that no page hears of, because the peer "
        "keeps nothing. The peer draws the same buildings inline in `st.pydeck_chart` and moves one other "
        "thing. Medians; the worst round may hold what the wall asks only once a minute, the hot places. "
        "Aim: at most 10,000 bytes and 10 ms.\n\n" + _load(figures) + "\n" + _table(head, rows)
    )


def write_first_frame(figures: Figures) -> str:
    """First 3D frame and memory."""
    rows = [
        (
            name,
            _say(f["cold_first_buildings_s"], "s"),
            _say(f["warm_first_buildings_s"], "s"),
            f"{f['cold_page_cpu_s']:.1f} + {f['cold_drawing_cpu_s']:.1f} s",
            _say(f["server_cpu_s"], "s"),
            _say(f["server_memory_mb"], "MB", 0),
            _say(f.get("peer_cold_first_buildings_s"), "s"),
            _say(f.get("peer_memory_mb"), "MB", 0),
            _say(f.get("peer_over_ours"), "×", 2),
        )
        for name, f in figures["visits"].items()
    ]
    phases = [
        (
            name,
            *(_say(f.get(f"warm_{key}"), "s") for key in ("component_asks_s", "renderer_there_s", "scenes_there_s")),
            _say(f["warm_first_buildings_s"], "s"),
        )
        for name, f in figures["visits"].items()
    ]
    head = (
        "place and screen", "first frame, server and browser fresh", "first frame, server warm",
        "processor: page + drawing", "server's processor", "server memory", "inline: first frame", "inline: memory",
        "first frame, inline / ours",
    )  # fmt: skip
    phase_head = ("place and screen", "our component begins", "renderer there", "scene files there", "first frame")
    return (
        "\n## First 3D frame and memory\n\nFrom the page's start to the first frame whose pixels show the buildings, "
        "in a fresh browser that draws in software. Memory is the server's resident set after three visits in two "
        "languages. Aim: at most 4 s for the sample, 6 s for 20,000 buildings, 500 MB.\n\n"
        + _load(figures)
        + "\n"
        + _table(head, rows)
        + "\nWhere the time goes, seconds from the page's start, server warm:\n\n"
        + _table(phase_head, phases)
    )


def write_import(figures: Figures) -> str:
    """Import of 20,000 buildings."""
    if "buildings" not in figures:
        return "\n## Import\n\nNot measured: the real files are not on this machine.\n"
    f = figures
    rows = [
        ("processor", _say(f["bare_cpu_s"], "s", 2), _say(f["ours_cpu_s"], "s", 2), f"{f['ours_over_bare_cpu']} ×"),
        ("clock", _say(f["bare_clock_s"], "s", 2), _say(f["ours_clock_s"], "s", 2), f"{f['ours_over_bare_clock']} ×"),
    ]
    return (
        f"\n## Import\n\n{f['buildings']:,} buildings from one GeoJSON file: `geopandas.read_file` and `to_parquet`, "
        "beside the product's import (checks, repair, coordinate system, heights, boundary, grids, addresses, one "
        "durable transaction). Aim: at most 3 × the bare read and write.\n\n"
        + _load(f)
        + "\n"
        + _table(("time", "bare", "ours", "ours / bare"), rows)
    )


def write_addresses(figures: Figures) -> str:
    """Addresses a second."""
    rows = [
        (name.removesuffix("_per_s").replace("_", " "), f"{value:,.0f}")
        for name, value in figures.items()
        if name.endswith("_per_s")
    ]
    return (
        "\n## Addresses\n\nA second on one core. The least is one `re.findall` of the numbers in the same texts; "
        f"reading all spellings takes {figures['parse_times_the_least']:.1f} × that. Aim: 50,000 read a second.\n\n"
        + _load(figures)
        + "\n"
        + _table(("work", "texts a second"), rows)
    )


def write_hotspots(figures: Figures) -> str:
    """Hot cells."""
    f = figures
    return (
        f"\n## Hot cells\n\n{f['incidents']:,} incidents of the sample in {f['cells']:,} cells of 25 m. The exact "
        f"permutation law takes {f['exact_p_s'] * 1000:.0f} ms, 9,999 draws take {f['drawn_p_s'] * 1000:,.0f} ms: "
        f"{f['drawn_over_exact']:.0f} ×, and differ from it by at most {f['largest_difference_of_p']:.4f}. The "
        f"smallest exact p is {f['smallest_exact_p']:.2g}; drawing cannot go below 0.0001. Whole question, from frames "
        f"to cells with reasons: {f['whole_s'] * 1000:.0f} ms of the processor.\n\n" + _load(f)
    )


def write_encryption(figures: Figures) -> str:
    """What encryption at rest costs."""
    works = [name.removesuffix("_plain_s") for name in figures if name.endswith("_plain_s")]
    rows = [
        (
            _WORKS[work],
            f"{figures[f'{work}_plain_s'] * 1000:,.1f} ms",
            f"{figures[f'{work}_encrypted_s'] * 1000:,.1f} ms",
            f"{figures[f'{work}_encrypted_over_plain']:.2f} ×",
        )
        for work in works
    ]
    return (
        "\n## Encryption at rest\n\nThe sample in a plain store and in an encrypted one (AES-256-GCM through OpenSSL), "
        "the same work on both one right after the other; medians of the clock and of the rounds' ratios. "
        f"The encrypted file is {figures['file_bytes_over_plain']:.2f} × as long.\n\n"
        + _load(figures)
        + "\n"
        + _table(("work", "plain", "encrypted", "encrypted / plain"), rows)
    )


def write_statistics(figures: Figures) -> str:
    """The statistics beside their peers."""
    rows = [
        (
            f"{row['cells']:,}",
            _say(row["z_s"] * 1000, "ms"),
            _say(row["esda_z_s"], "s", 2),
            _say(row["z_ratio"], "×", 0),
            _say(row["exact_p_s"] * 1000, "ms"),
            _say(row["esda_p_s"], "s", 2),
            _say(row["p_ratio"], "×", 0),
        )
        for row in figures["gi_star"]
    ]
    knox, density = figures["knox"], figures["density"]
    head = (
        "cells", "z", "esda, graph and z", "esda / ours", "exact p", "esda, graph and 999 permutations", "esda / ours",
    )  # fmt: skip
    return (
        "\n## Statistics\n\nGi* on sparse clustered counts, beside esda on one core; both agree on z to "
        f"{max(row['largest_difference_of_z'] or 0 for row in figures['gi_star']):.0e}. The peer's permutations draw, "
        "ours is the exact law. Aim: z 200 ×, exact p 300 × at 100,000 cells.\n\n"
        + _load(figures)
        + "\n"
        + _table(head, rows)
        + f"\n100,000 places that are no lattice, neighbours found first: {figures['places_100k_s']:.2f} s for z, p "
        f"and q.\n\nKnox of 10,000 events: {knox['closed_form_s'] * 1000:.0f} ms in closed form, "
        f"{knox['shuffled_99_s'] * 1000:.0f} ms with 99 shuffles; pointpats with 99 shuffles "
        f"{knox['pointpats_99_s']:.1f} s, {knox['ratio']:.0f} × the closed form (aim: 100 ×). 100,000 events: "
        f"{knox['closed_form_100k_s']:.1f} s.\n\nQuartic density of 1,000,000 points on 96 × 96 cells, exact: "
        f"{density['ours_s']:.2f} s; KDEpy's tree {density['tree_s']:.2f} s, {density['ratio']:.1f} × (aim: 1 ×). Its "
        f"transform, which spreads points over the nodes of a grid and is not exact, takes {density['fft_s']:.2f} s.\n"
        + _say_million(figures.get("million"))
        + _say_city(figures.get("city"), figures.get("city_load"))
    )


def _say_million(million: dict[str, float] | None) -> str:
    if million is None:
        return ""
    return (
        "\n`shapan analyse gi-star --csv FILE --band 30 --json` on 1,000,000 places, the whole process: "
        f"{million['memory_mb']:.0f} MB at most, {million['used_s']:.0f} s of the processor; rows are written as they "
        "are made.\n"
    )


def _say_city(city: dict[str, float] | None, load: float | None) -> str:
    if city is None:
        return ""
    rows = [(name, _say(seconds, "s", 2)) for name, seconds in city.items()]
    return (
        "\nThe commander's page on real incidents as a store of their own: 21,874 shootings of New York in seventeen "
        "years on 1,025 km², a question about the last year of them; seconds of the processor until the answer, its "
        "drawing left out (aim: 2 s each). "
        f"Load while measured: {_say(load, '').strip()}.\n\n" + _table(("part", "time"), rows)
    )


def write_dispatch(figures: Figures) -> str:
    """Travel times."""
    rows = [
        (
            name,
            f"{f['nodes']:,}",
            _say(f["search_s"] * 1000, "ms", 2),
            _say(f["networkx_s"] * 1000, "ms"),
            f"{f['networkx_ratio']:.0f} ×",
            _say(f["igraph_s"] * 1000, "ms", 2),
            f"{f['igraph_ratio']:.1f} ×",
            _say(f["foot_s"] * 1000, "ms"),
            _say(f["mixed_s"] * 1000, "ms"),
            _say(f["ranking_s"] * 1000, "ms"),
        )
        for name, f in figures["networks"].items()
    ]
    head = (
        "network", "nodes", "one search, ours", "networkx", "networkx / ours", "igraph", "igraph / ours",
        "200 on foot", "200, three vehicles", "200 ranked within an hour",
    )  # fmt: skip
    return (
        "\n## Travel times\n\nProcessor time. One search from an incident to all nodes of the same network, the peers' "
        "answers equal to ours; then all that 200 responders need: places bound to ways past walls, gates and houses, "
        "layers for e-bikes and cars, and the ranking with its reasons within the hour that the product looks at. The "
        "city is a real one's ways, repeated. Aim: 20 ms for 200 responders, 100 ms in 200,000 nodes.\n\n"
        + _load(figures)
        + "\n"
        + _table(head, rows)
    )


WRITERS = {
    "live": write_live,
    "first-frame": write_first_frame,
    "import": write_import,
    "addresses": write_addresses,
    "hotspots": write_hotspots,
    "encryption": write_encryption,
    "statistics": write_statistics,
    "dispatch": write_dispatch,
}


def write_page(results: dict[str, Figures], browser: str) -> str:
    """The whole page."""
    return (
        _HEAD
        + "\n"
        + describe_machine(browser)
        + "".join(WRITERS[name](results[name]) for name in WRITERS if name in results)
    )
