"""Other names (别名) of the community, its zones, buildings and places, from a table of the office."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from data.importing.getting import ColumnGetter
from data.importing.incoming import Incoming, merge_duplicates
from data.importing.layer import Layer
from data.importing.report import ImportReport

_KINDS: Final = (
    ("zone", "zone|片区|分区|苑区"),
    ("building", "building|楼|幢|栋|建筑"),
    ("site", "site|单位|场所|商户|店"),
    ("community", "community|社区|小区|新村|地址|道路|门牌"),
)


def build_aliases(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `aliases`; a name without kind is one of the community (和平路18号, WH新村)."""
    frames, labels = [], []
    for layer in layers:
        column, label = ColumnGetter(layer.canonical("alias")), layer.labels()
        alias, canonical, said = column("alias"), column("canonical"), column("kind")
        kind = pd.Series(pd.NA, index=alias.index, dtype="str")
        for what, pattern in _KINDS:
            kind = kind.mask(kind.isna() & said.str.contains(pattern, regex=True, case=False, na=False), what)
        unknown = (said.notna() & kind.isna()).to_numpy(dtype=bool)
        empty = (alias.isna() | canonical.isna()).to_numpy(dtype=bool)
        report.add_mask(
            "refused", "alias_empty", layer.source, "lack the other name or what it stands for", empty, label
        )
        report.add_mask(
            "refused",
            "alias_kind",
            layer.source,
            "are other names of an unknown kind: expected 社区, 片区, 楼栋 or 场所",
            unknown & ~empty,
            label,
        )
        frame = pd.DataFrame({"alias": alias, "canonical": canonical, "kind": kind.fillna("community")})
        frames.append(frame[~(empty | unknown)])
        labels.append(label[~(empty | unknown)])
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return None
    source = ", ".join(layer.source for layer in layers)
    keep = merge_duplicates(frame, "alias", np.concatenate(labels), source, report, compare=["canonical", "kind"])
    return Incoming("aliases", "alias", frame[keep].reset_index(drop=True))
