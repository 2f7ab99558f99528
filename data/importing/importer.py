"""Importing: files in, one transaction, a report out."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data.importing.columns import coalesce, match_columns
from data.importing.community import read_community
from data.importing.layer import Layer
from data.importing.merging import Merge, add_event
from data.importing.options import ImportOptions, Progress, SourceFile, no_progress
from data.importing.persons import PersonRules, check_options, check_store, take_persons
from data.importing.placing import find_crs, refuse_far, refuse_impossible, to_lonlat
from data.importing.plan import Plan, plan_import
from data.importing.points import attach_points
from data.importing.reading import read_layers
from data.importing.report import ImportReport, LayerNote, check_no_refusals
from data.importing.texts import seal_texts
from data.store import Clock, Store, Transaction, utc_now
from gis.crs import choose_metric_crs, crs_label, datum_shift_m, is_same_datum, transform_geometries
from gis.errors import RefusedError

_MAX_TRIES = 5


def import_sources(
    store: Store,
    sources: Sequence[SourceFile],
    options: ImportOptions | None = None,
    *,
    clock: Clock = utc_now,
    progress: Progress = no_progress,
) -> ImportReport:
    """
    Import files of a community into its store, all or nothing.

    Parameters
    ----------
    store
        Store of a real community, empty or not.
    sources
        Names and bytes; the parts of a Shapefile as separate files or zipped.
    options
        Choices of the user.
    clock
        When it happens.
    progress
        Called with the share done and a word.

    Returns
    -------
    What was found, repaired, derived, assumed, left out and written.

    Raises
    ------
    BadFileError, CrsUnknownError, CrsMismatchError, RefusedError, ImportRefusedError
        Nothing was written; the sentence says what to do.
    """
    options = options or ImportOptions()
    started = clock()
    report = ImportReport()
    check_options(options)
    if options.with_persons:
        check_store(store)
    _check_real(store)
    layers = read_layers(sources, options, report, progress)
    take_persons(layers, options, report)
    rules = PersonRules.build(store, started) if options.with_persons else None
    progress(0.35, "finding places")
    for layer in layers:
        attach_points(layer, options, report)
        find_crs(layer, options)
    for layer in layers:
        refuse_impossible(layer, report, _names(layer))
    crs = _bring_together(store, layers, report)
    digest = _digest(sources, options)
    for _ in range(_MAX_TRIES):
        attempt = copy.deepcopy(report)
        revision = store.revision()
        progress(0.5, "building tables")
        plan = plan_import(store, layers, crs, options, attempt, rules)
        check_no_refusals(attempt, skip_bad_rows=options.skip_bad_rows)
        progress(0.8, "writing")
        done = store.write(lambda tx: _write(tx, plan, attempt, revision, digest, sources, started, clock))  # noqa: B023 - runs at once
        if done:
            progress(1.0, "done")
            return attempt
    raise RefusedError("The store was written to again and again while this import was made ready. Import it again.")


def _names(layer: Layer) -> pd.Series | None:
    matched = match_columns(layer.kind or "", list(layer.frame.columns))
    return coalesce(layer.frame, matched["name"]) if "name" in matched else None


def _check_real(store: Store) -> None:
    rows = store.read("SELECT synthetic FROM community")
    if len(rows) and bool(rows["synthetic"].iloc[0]):
        raise RefusedError(
            f"Store '{store.path.stem}' holds the synthetic sample; a real place is never mixed with it. "
            "Import into a new store: shapan import FOLDER --store NAME."
        )


def _bring_together(store: Store, layers: list[Layer], report: ImportReport) -> str:
    """Every layer into the community's CRS; returns it. Far records are refused."""
    community = read_community(store)
    lonlat = {id(layer): to_lonlat(layer) for layer in layers}
    places = np.concatenate([lonlat[id(layer)] for layer in layers]) if layers else np.empty((0, 2))
    places = places[np.isfinite(places).all(axis=1)]
    if community.crs is None and not len(places):
        raise RefusedError(
            "Nothing in these files says where the community is: expected at least buildings, a boundary or places "
            "with coordinates. Import the map first, then the tables."
        )
    if community.centre is not None:
        centre, radius_km, what = community.centre, community.radius_km, f"this store's community, {community.name}"
    else:
        middle = np.median(places, axis=0)
        centre, radius_km, what = (float(middle[0]), float(middle[1])), 0.0, "the middle of these files"
    crs = community.crs or choose_metric_crs(*centre)
    report.crs = crs
    for layer in layers:
        refuse_far(layer, centre, radius_km, what, report, _names(layer))
        note = LayerNote(layer.source, layer.kind, layer.records, layer.crs, layer.crs_from, layer.axes, layer.encoding)
        report.layers.append(note)
        if layer.geometry is not None and layer.crs is not None:
            layer.original = layer.geometry
            layer.geometry = transform_geometries(layer.geometry, layer.crs, crs)
            note.shift_m, note.shift_by = datum_shift_m(*centre, layer.crs, crs)
            if note.shift_by is None and not is_same_datum(layer.crs, crs):
                report.add(
                    "noted",
                    "datum_unknown",
                    layer.source,
                    f"layer: no transformation from {crs_label(layer.crs)} to {crs_label(crs)} is published; it may "
                    "lie about 100 m off. Fit it to known points before relying on it",
                )
    return crs


def _digest(sources: Sequence[SourceFile], options: ImportOptions) -> str:
    whole = hashlib.sha256(json.dumps(options.to_dict(), sort_keys=True).encode())
    for source in sorted(sources, key=lambda s: s.name):
        whole.update(source.name.encode() + b"\0" + hashlib.sha256(source.data).digest())
    return whole.hexdigest()


def _write(
    transaction: Transaction,
    plan: Plan,
    report: ImportReport,
    revision: int,
    digest: str,
    sources: Sequence[SourceFile],
    started: datetime,
    clock: Clock,
) -> bool:
    """Write the plan; False when the store has changed since the plan was made."""
    now = transaction.fetch("SELECT coalesce(max(revision), 0) AS r FROM revisions")["r"].iloc[0]
    if int(now) != revision:
        return False
    begun = started.astimezone(UTC).replace(tzinfo=None)
    number = int(transaction.fetch("SELECT count(*) AS n FROM import_batches")["n"].iloc[0]) + 1
    batch_id = f"import-{number:04d}-{digest[:8]}"
    merge = Merge(transaction, batch_id, report, plan.person_columns)
    for table, ids in plan.removed.items():
        merge.remove(table, ids)
    for incoming in plan.incoming:
        merge.write(incoming)
    merge.record_new("sealed_texts", seal_texts(transaction, plan.seals, clock))
    merge.write(plan.community.to_incoming(begun, changed=merge.changes > 0))
    if not merge.changes:
        report.nothing_new = True
        return True
    report.batch_id = batch_id
    finished = clock().astimezone(UTC).replace(tzinfo=None)
    names = [{"name": source.name, "bytes": len(source.data)} for source in sources]
    transaction.execute(
        "import_batches",
        "INSERT INTO import_batches VALUES (?, ?, ?, ?, ?, NULL, ?)",
        [
            batch_id,
            digest,
            json.dumps(names, ensure_ascii=False),
            begun,
            finished,
            json.dumps(report.to_dict(), ensure_ascii=False),
        ],
    )
    figures = {table: count.new + count.changed for table, count in report.tables.items()}
    add_event(transaction, finished, "import.done", batch_id, json.dumps(figures))
    return True
