"""Files made in memory, as an office might bring them, and a look at all that a store holds."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from data.importing import SourceFile
from data.store import Store

NOW = datetime(2025, 3, 1, 4, 0, tzinfo=UTC)
# A place in 万户新村: 120.17° E 33.39° N is (515,816.792, 3,696,015.051) in EPSG:4549, from the coordinate vectors of
# the real data (cgcs2000_vectors.csv, computed with an independent implementation).
LON, LAT = 120.17, 33.39
DEGREE_M = 93_000.0


def clock() -> datetime:
    return NOW


def square(index: int = 0, *, lon: float = LON, lat: float = LAT, size_deg: float = 0.0002) -> dict[str, Any]:
    """A building's outline about 20 m across; the n-th stands about 40 m east of the one before."""
    x = lon + index * 0.0004
    ring = [[x, lat], [x + size_deg, lat], [x + size_deg, lat + size_deg], [x, lat + size_deg], [x, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: dict[str, Any] | None, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def geojson(features: list[dict[str, Any]], name: str = "buildings.geojson", crs: str | None = None) -> SourceFile:
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if crs:
        collection["crs"] = {"type": "name", "properties": {"name": crs}}
    return SourceFile(name, json.dumps(collection, ensure_ascii=False).encode())


def three_buildings() -> SourceFile:
    return geojson([feature(square(i), id=f"A{i}", name=f"{i + 1}幢", 层数=6, 用途="住宅") for i in range(3)])


def table(name: str, text: str, encoding: str = "utf-8") -> SourceFile:
    return SourceFile(name, text.encode(encoding))


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def read_all(folder: Path) -> list[SourceFile]:
    return [SourceFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]


def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, revisions included: two equal contents mean an untouched store."""
    return {
        table: [tuple(map(repr, row)) for row in frame.itertuples(index=False)]
        for table, frame in store.export_tables().items()
    }


def buildings(store: Store) -> gpd.GeoDataFrame:
    return store.read_geo("SELECT * EXCLUDE (geom), ST_AsWKB(geom) AS geom FROM buildings ORDER BY building_id")


def rows(store: Store, table_name: str) -> pd.DataFrame:
    return store.read(f"SELECT COLUMNS(c -> c <> 'geom') FROM {table_name} ORDER BY 1")
