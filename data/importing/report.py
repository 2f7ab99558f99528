"""The report of an import: everything found, repaired, derived, assumed, left out and refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from gis.errors import BadRecordError

Group = Literal["found", "repaired", "derived", "assumed", "left_out", "noted", "refused"]
GROUPS: Final[tuple[Group, ...]] = ("found", "repaired", "derived", "assumed", "left_out", "noted", "refused")
_TITLES: Final[dict[str, str]] = {
    "found": "Found",
    "repaired": "Repaired",
    "derived": "Derived",
    "assumed": "Assumed",
    "left_out": "Left out",
    "noted": "To know",
    "refused": "Refused",
}
FIRST_ROWS: Final = 5


@dataclass
class Finding:
    """One rule that applied to `count` records of `source`; `rows` names the first of them."""

    group: Group
    rule: str
    source: str
    sentence: str
    count: int
    rows: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        return {
            "group": self.group,
            "rule": self.rule,
            "source": self.source,
            "sentence": self.sentence,
            "count": self.count,
            "rows": self.rows,
        }

    def to_text(self) -> str:
        rows = "".join(f"\n      {row}" for row in self.rows)
        more = (
            f"\n      … and {self.count - len(self.rows):,} more" if self.rows and self.count > len(self.rows) else ""
        )
        return f"  - {self.source}: {self.count:,} {self.sentence}{rows}{more}"


@dataclass
class TableCount:
    """Rows of one table: written new, changed, found unchanged, kept because verified, taken away."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept_verified: int = 0
    removed: int = 0


@dataclass
class LayerNote:
    """How one layer was read."""

    source: str
    kind: str | None
    records: int
    crs: str | None = None
    crs_from: str | None = None
    axes: str | None = None
    encoding: str | None = None
    shift_m: float | None = None
    shift_by: str | None = None


@dataclass
class ImportReport:
    """
    What an import did.

    Attributes
    ----------
    batch_id
        Import in `import_batches`; None when nothing was new.
    nothing_new
        The store held all of it already: nothing was written.
    community, crs
        Name and metric CRS of the community.
    layers
        How each layer was read: kind, records, CRS, encoding, datum shift in metres.
    tables
        Rows by table.
    findings
        Grouped by rule, with count and first rows.
    """

    batch_id: str | None = None
    nothing_new: bool = False
    community: str | None = None
    crs: str | None = None
    layers: list[LayerNote] = field(default_factory=list)
    tables: dict[str, TableCount] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(
        self, group: Group, rule: str, source: str, sentence: str, *, count: int = 1, rows: Iterable[str] = ()
    ) -> None:
        """Note that `rule` applied; counts of the same rule, source and sentence are added up."""
        if not count:
            return
        first = [row for row, _ in zip(rows, range(FIRST_ROWS), strict=False)]
        for finding in self.findings:
            if (finding.group, finding.rule, finding.source, finding.sentence) == (group, rule, source, sentence):
                finding.count += count
                finding.rows.extend(first[: FIRST_ROWS - len(finding.rows)])
                return
        self.findings.append(Finding(group, rule, source, sentence, count, first))

    def add_mask(
        self,
        group: Group,
        rule: str,
        source: str,
        sentence: str,
        mask: npt.NDArray[np.bool_],
        labels: Sequence[str] | npt.NDArray[np.object_] | None = None,
    ) -> None:
        """As `add`, for the records where `mask` is true; `labels` name the records."""
        count = int(np.count_nonzero(mask))
        first = np.flatnonzero(mask)[:FIRST_ROWS]
        self.add(
            group, rule, source, sentence, count=count, rows=[labels[i] for i in first] if labels is not None else []
        )

    def select(self, group: Group) -> list[Finding]:
        """Findings of one group."""
        return [finding for finding in self.findings if finding.group == group]

    def count(self, rule: str) -> int:
        """Records that a rule applied to."""
        return sum(finding.count for finding in self.findings if finding.rule == rule)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "batch_id": self.batch_id,
            "nothing_new": self.nothing_new,
            "community": self.community,
            "crs": self.crs,
            "layers": [vars(layer) for layer in self.layers],
            "tables": {table: vars(count) for table, count in self.tables.items()},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_text(self) -> str:
        """The report for a terminal."""
        lines = [f"Community {self.community or '(unnamed)'}, stored in {self.crs or 'no coordinate system yet'}."]
        if self.nothing_new:
            lines.append("Nothing new: the store holds all of it already. Nothing was written.")
        elif self.batch_id:
            lines.append(f"Import {self.batch_id} is done. `shapan undo` takes it back.")
        lines += ["", "Files"]
        lines += [f"  - {_describe_layer(layer)}" for layer in self.layers]
        for group in GROUPS:
            if chosen := self.select(group):
                lines += ["", _TITLES[group], *(finding.to_text() for finding in chosen)]
        if written := [(name, count) for name, count in self.tables.items() if any(vars(count).values())]:
            lines += ["", "Tables"]
            lines += [
                f"  - {name}: " + ", ".join(f"{n:,} {key.replace('_', ' ')}" for key, n in vars(count).items() if n)
                for name, count in written
            ]
        return "\n".join(lines) + "\n"


def _describe_layer(layer: LayerNote) -> str:
    parts = [f"{layer.source}: {layer.records:,} records as {layer.kind or 'nothing that is imported'}"]
    if layer.crs:
        parts.append(f"{layer.crs} ({layer.crs_from})")
    if layer.axes:
        parts.append(layer.axes)
    if layer.encoding:
        parts.append(f"text in {layer.encoding}")
    if layer.shift_m is not None and layer.shift_by:
        parts.append(f"datum shift {layer.shift_m:.2f} m ({layer.shift_by})")
    return ", ".join(parts)


class ImportRefusedError(BadRecordError):
    """Records that cannot be used; `report` holds every problem. The store is as it was."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


def check_no_refusals(report: ImportReport, *, skip_bad_rows: bool) -> None:
    """Raise `ImportRefusedError` with all problems at once when there are bad rows and they are not to be skipped."""
    refused = report.select("refused")
    if refused and not skip_bad_rows:
        total = sum(finding.count for finding in refused)
        problems = "\n".join(finding.to_text() for finding in refused)
        raise ImportRefusedError(
            f"{total:,} records cannot be used; nothing was imported:\n{problems}\n"
            "Correct the rows, or import the others with --skip-bad-rows.",
            report,
        )
