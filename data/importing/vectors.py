"""GeoJSON, GeoPackage and Shapefile, read with pyogrio."""

from __future__ import annotations

import codecs
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyogrio
import shapely

from data.importing import dbf
from data.importing.encoding import UTF8, decode_text, decodes
from data.importing.layer import Geometries, Layer
from data.importing.report import ImportReport
from data.importing.sources import Dataset
from gis.errors import BadFileError

_FORMAT_NAMES: Final = {"geojson": "GeoJSON", "gpkg": "GeoPackage", "shp": "Shapefile"}
_CRS_MEMBER: Final = re.compile(r'"crs"\s*:\s*[{"]')
_HEAD_CHARACTERS: Final = 4000


def read_vector(dataset: Dataset, report: ImportReport, *, encoding: str | None) -> list[Layer]:
    """Every layer of a file; `BadFileError` with GDAL's reason when it cannot be read."""
    parts, codec, declares_crs = dict(dataset.parts), None, True
    if dataset.format == "geojson":
        data = parts[next(iter(parts))]
        text, codec = _decode_geojson(data, dataset.source)
        _check_geojson(text, dataset.source)
        is_plain = codec == UTF8 and not data.startswith(codecs.BOM_UTF8)
        parts = {".geojson": data if is_plain else text.encode()}
        declares_crs = bool(_CRS_MEMBER.search(text[:_HEAD_CHARACTERS]) or _CRS_MEMBER.search(text[-_HEAD_CHARACTERS:]))
    elif dataset.format == "shp":
        parts[".dbf"], codec, cut = dbf.prepare(parts[".dbf"], dataset.source, option=encoding, declared=_cpg(dataset))
        if cut:
            report.add(
                "repaired", "text_cut", dataset.source, "values end in half a character, which was cut off", count=cut
            )
    with _as_file(dataset, parts) as path, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            names = _find_layers(dataset, path)
            layers = [_read_layer(dataset, path, name, codec, len(names) > 1) for name in names]
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as error:
            reason = (
                str(error).replace(str(path), dataset.source).splitlines()[0][:200] if str(error) else "no reason given"
            )
            if "sqlite3" in reason or "database disk image" in reason:
                reason = "the database in it is damaged"
            raise BadFileError(
                f"{dataset.source}: cannot be read as {_FORMAT_NAMES[dataset.format]}: {reason}. The file is broken "
                "or cut off; export it again."
            ) from error
    for layer in layers:
        if not declares_crs:
            layer.declared_crs = None
    return layers


def _find_layers(dataset: Dataset, path: Path) -> list[str | None]:
    """Names of a file's layers; None for the only one of GeoJSON, which GDAL would read whole to tell its name."""
    if dataset.format == "geojson":
        head = next(iter(dataset.parts.values()))[:_HEAD_CHARACTERS]
        if b'"Topology"' not in head:  # TopoJSON has several
            return [None]
    return [str(name) for name in pyogrio.list_layers(path)[:, 0]]


def _decode_geojson(data: bytes, source: str) -> tuple[str, str]:
    try:
        return decode_text(data, source)
    except BadFileError:
        if any(decodes(data[:-missing], "utf-8") for missing in (1, 2, 3)):
            raise BadFileError(
                f"{source}: cannot be read as GeoJSON: it ends in the middle of a character. The file is cut off; "
                "export it again."
            ) from None
        raise


def _check_geojson(text: str, source: str) -> None:
    if '"coordinates"' not in text and '"features"' not in text and '"geometries"' not in text:
        raise BadFileError(f'{source}: not GeoJSON: there is no "features" in it. Give a FeatureCollection.')


def _cpg(dataset: Dataset) -> str | None:
    return dataset.parts[".cpg"].decode("ascii", "ignore").strip() if ".cpg" in dataset.parts else None


@contextmanager
def _as_file(dataset: Dataset, parts: dict[str, bytes]) -> Iterator[Path]:
    """The parts as files with names of ours in a folder of our own."""
    with tempfile.TemporaryDirectory(prefix="shapan-import-") as folder:
        for suffix, content in parts.items():
            if suffix != ".cpg":
                (Path(folder) / f"layer{suffix}").write_bytes(content)
        if dataset.format == "shp" and ".shx" not in parts:
            pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
        try:
            yield Path(folder) / f"layer{'.geojson' if dataset.format == 'geojson' else f'.{dataset.format}'}"
        finally:
            pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})


def _read_layer(dataset: Dataset, path: Path, name: str | None, codec: str | None, several: bool) -> Layer:
    meta, table = pyogrio.read_arrow(path, layer=name, encoding=codec if dataset.format == "shp" else None)
    frame = table.to_pandas()
    column = meta["geometry_name"] or "wkb_geometry"
    geometry: Geometries | None = None
    if column in frame.columns:
        geometry = _from_wkb(frame.pop(column))
    own_name = dataset.format == "gpkg"
    return Layer(
        source=f"{dataset.source}/{name}" if several else dataset.source,
        name=f"{name} {dataset.stem}" if own_name else dataset.stem,
        frame=_plain(frame),
        geometry=geometry,
        declared_crs=meta["crs"],
        encoding=codec,
        records=len(frame),
    )


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists and other nested values as text, so that every column can be compared and stored."""
    for column in frame.columns:
        if frame[column].dtype == object:
            frame[column] = frame[column].map(lambda value: None if value is None else str(value)).astype("str")
    return frame


def _from_wkb(column: pd.Series) -> Geometries:
    """Geometries; rings that are not closed are closed, what nobody can read becomes an empty collection."""
    wkb = column.to_numpy(dtype=object)
    geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    broken = shapely.is_missing(geometry) & column.notna().to_numpy()
    if broken.any():
        geometry[broken] = shapely.from_wkb(wkb[broken], on_invalid="fix")
    return geometry
