"""The community's name as its own files say it, where nobody named it and the store's name is all there is."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pandas as pd

from data.addresses import parse_address
from data.importing.community import Community
from data.importing.incoming import Incoming
from data.importing.layer import Layer
from data.importing.report import ImportReport
from data.store import Store

_LOOKED_AT: Final = 2000
# One name must stand in so many of the addresses that name a community at all.
_SHARE: Final = 0.7
_FEWEST: Final = 3


def name_community(store: Store, community: Community, layers: list[Layer], report: ImportReport) -> Incoming | None:
    """
    Name the community as most addresses of the files do; the addresses it has already are rewritten with that name.

    Nothing happens when somebody named it, or when the addresses name several places.
    """
    if community.name != store.path.stem or not (spoken := _find_name(layers)):
        return None
    before = community.address_start
    community.name = spoken
    report.add("derived", "community_name", "community", f"name taken from the addresses: {spoken} (or say --name)")
    rows = store.read("SELECT address_id, full_text FROM addresses")
    old = rows[rows["full_text"].str.startswith(before)].reset_index(drop=True)
    if old.empty:
        return None
    text = community.address_start + old["full_text"].str.slice(len(before))
    return Incoming("addresses", "address_id", pd.DataFrame({"address_id": old["address_id"], "full_text": text}))


def _find_name(layers: list[Layer]) -> str | None:
    found: Counter[str] = Counter()
    for layer in layers:
        if layer.kind not in ("unit", "rental", "incident", "occupant"):
            continue
        ours = layer.canonical(layer.kind)
        for column in ("community", "address_text"):
            if column in ours:
                for text, count in ours[column].dropna().head(_LOOKED_AT).value_counts().items():
                    if name := parse_address(str(text)).community:
                        found[name] += int(count)
    if not found:
        return None
    name, count = found.most_common(1)[0]
    return name if count >= _FEWEST and count >= _SHARE * found.total() else None
