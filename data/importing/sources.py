"""From files and folders to datasets: archives opened safely, the parts of a Shapefile put together."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from data.importing.options import SourceFile
from data.importing.report import ImportReport
from gis.errors import BadFileError

Format = Literal["geojson", "gpkg", "shp", "csv", "xlsx"]
_FORMATS: Final[dict[str, Format]] = {
    ".geojson": "geojson",
    ".json": "geojson",
    ".gpkg": "gpkg",
    ".shp": "shp",
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
}
_SHAPE_PARTS: Final = (".shp", ".dbf", ".shx", ".prj", ".cpg")
_SILENT: Final = (".sbn", ".sbx", ".qpj", ".qmd", ".qml", ".xml", ".md", ".qgz", ".qgs", ".lock", ".ini", ".lnk", ".db")
# What to do with files of other kinds that offices often have.
_HINTS: Final = {
    ".xls": "old Excel file: save it as .xlsx",
    ".et": "WPS table: save it as .xlsx",
    ".xlsm": "workbook with macros: save it as .xlsx",
    ".dwg": "CAD drawing: export its outlines as Shapefile or GeoJSON with a coordinate system",
    ".dxf": "CAD drawing: export its outlines as Shapefile or GeoJSON with a coordinate system",
    ".kml": "KML: export it as GeoJSON",
    ".kmz": "KML: export it as GeoJSON",
    ".osm": "OpenStreetMap XML: export it as GeoJSON or GeoPackage, with QGIS for example",
    ".pbf": "OpenStreetMap extract: export it as GeoJSON or GeoPackage, with QGIS for example",
    ".tab": "MapInfo table: export it as GeoPackage or Shapefile",
    ".mif": "MapInfo table: export it as GeoPackage or Shapefile",
    ".gdb": "ArcGIS geodatabase: export its layers as GeoPackage or Shapefile",
    ".rar": "archive that is not read: unpack it, or pack it as .zip",
    ".7z": "archive that is not read: unpack it, or pack it as .zip",
}
# A community's files are megabytes; a district of 20,000 buildings about 20 MB.
MAX_FILE_BYTES: Final = 1 << 30
MAX_TOTAL_BYTES: Final = 2 << 30
MAX_ARCHIVE_ENTRIES: Final = 10_000
# Real maps and tables pack 5 to 20 times; beyond this it is a bomb.
MAX_PACKING: Final = 200


@dataclass(frozen=True)
class Dataset:
    """One readable thing: `parts` holds its bytes by ending (a Shapefile has several)."""

    source: str
    format: Format
    parts: dict[str, bytes]

    @property
    def stem(self) -> str:
        """File name without folders and ending."""
        return PurePosixPath(self.source).stem


def read_folder(path: Path) -> list[SourceFile]:
    """
    Files of a folder, or one file, as sources; the command line's side of an import.

    A link that leads out of the folder is refused.
    """
    if path.is_file():
        siblings = [path]
        if path.suffix.lower() == ".shp":
            siblings = sorted(
                p for p in path.parent.iterdir() if _same_stem(p.name, path.name) and _suffix(p.name) in _SHAPE_PARTS
            )
        return [SourceFile(p.name, _read(p)) for p in siblings]
    if not path.is_dir():
        raise BadFileError(f"{path}: there is no such file or folder. Check the path.")
    root = path.resolve()
    wanted = {*_FORMATS, *_SHAPE_PARTS, ".zip"}
    result, others = [], []
    for file in sorted(path.rglob("*")):
        if not file.resolve().is_relative_to(root):
            raise BadFileError(f"{file.name}: is a link out of the folder. Copy the file itself into the folder.")
        name = file.relative_to(path).as_posix()
        if not file.is_file() or _is_of_the_system(name):
            continue
        if _suffix(file.name) in wanted:
            result.append(SourceFile(name, _read(file)))
        elif _suffix(file.parent.name) == ".gdb":
            others.append(SourceFile(file.parent.relative_to(path).as_posix(), b""))
        else:  # named in the report, not read
            others.append(SourceFile(name, b""))
    if not result:
        raise BadFileError(
            f"{path}: nothing usable in this folder: expected GeoJSON, GeoPackage, Shapefile, CSV, .xlsx or .zip files."
        )
    return [*result, *dict.fromkeys(others)]


def _is_of_the_system(name: str) -> bool:
    """What macOS, Windows and Office lay beside an office's files: .DS_Store, ._建筑.shp, __MACOSX, ~$台账.xlsx."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith((".", "~$")) or path.name.lower() == "thumbs.db"


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadFileError(_too_large(path.name))
    return path.read_bytes()


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _too_large(name: str) -> str:
    return f"{name}: larger than {MAX_FILE_BYTES >> 20} MiB unpacked. Cut it to the community first."


def find_datasets(sources: Sequence[SourceFile], report: ImportReport) -> list[Dataset]:
    """
    What can be read among the files; what is not looked at is said in the report.

    Raises
    ------
    BadFileError
        An empty file, a broken or dangerous archive, a Shapefile without its parts.
    """
    files: dict[str, bytes] = {}
    total = 0
    for source in _unpacked(sources):
        if _is_of_the_system(source.name):
            continue
        if len(source.data) > MAX_FILE_BYTES or (total := total + len(source.data)) > MAX_TOTAL_BYTES:
            raise BadFileError(_too_large(source.name))
        if source.name in files and files[source.name] != source.data:
            raise BadFileError(f"{source.name}: given twice with different content. Give each file once.")
        files[source.name] = source.data
    result = []
    for name, content in files.items():
        suffix = _suffix(name)
        if suffix in _SHAPE_PARTS and suffix != ".shp":
            if not any(_same_stem(name, other) and _suffix(other) == ".shp" for other in files):
                report.add("left_out", "no_shp", name, "part of a Shapefile without its .shp file", count=1)
            continue
        if suffix not in _FORMATS:
            if suffix in _HINTS:
                report.add("left_out", "unknown_format", name, _HINTS[suffix])
            elif suffix not in _SILENT:
                report.add("left_out", "unknown_format", "other files", "of kinds that are not read", rows=[name])
            continue
        if not content or content.isspace():
            raise BadFileError(f"{name}: the file is empty. Export it again.")
        parts = {suffix: content}
        if suffix == ".shp":
            parts |= {_suffix(o): c for o, c in files.items() if _same_stem(name, o) and _suffix(o) in _SHAPE_PARTS}
            if ".dbf" not in parts:
                raise BadFileError(f"{name}: its .dbf file (names, heights) is missing. Give both files, or zip them.")
        result.append(Dataset(name, _FORMATS[suffix], parts))
    return result


def _same_stem(name: str, other: str) -> bool:
    """Whether two names differ in their ending only; 建筑A.SHP and 建筑a.dbf are of one Shapefile."""
    first, second = (str(PurePosixPath(one).with_suffix("")).casefold() for one in (name, other))
    return first == second


def _unpacked(sources: Sequence[SourceFile]) -> Iterable[SourceFile]:
    for source in sources:
        if _suffix(source.name) == ".zip":
            yield from _unzip(source)
        else:
            yield source


def _unzip(source: SourceFile) -> Iterable[SourceFile]:
    """Files of an archive, read in memory: names decide nothing but what a file is called in the report."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except zipfile.BadZipFile as error:
        raise BadFileError(f"{source.name}: not a readable zip archive. Pack it again.") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _check_archive(source, entries)
        for entry in entries:
            name = _entry_name(entry)
            if _is_of_the_system(name):
                continue
            if _suffix(name) == ".zip":
                raise BadFileError(f"{source.name}: holds another archive, {name}. Unpack it and give its files.")
            try:
                data = archive.read(entry)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
                raise BadFileError(
                    f"{source.name}: {name} cannot be unpacked. Pack it again without password."
                ) from error
            yield SourceFile(f"{source.name}/{name}", data)


def _check_archive(source: SourceFile, entries: Sequence[zipfile.ZipInfo]) -> None:
    if not entries:
        raise BadFileError(f"{source.name}: the archive is empty. Pack it again.")
    unpacked = sum(entry.file_size for entry in entries)
    too_much = len(entries) > MAX_ARCHIVE_ENTRIES or unpacked > MAX_FILE_BYTES
    if too_much or unpacked > MAX_PACKING * len(source.data) + (1 << 20):
        raise BadFileError(
            f"{source.name}: {len(entries):,} files, {unpacked:,} bytes unpacked from {len(source.data):,}: this is "
            "not what a community's files look like. Unpack it and give the files that are wanted."
        )
    for entry in entries:
        name = _entry_name(entry)
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name:
            raise BadFileError(f"{source.name}: entry '{name[:80]}' leads out of the archive. Pack it again.")
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise BadFileError(f"{source.name}: entry '{name[:80]}' is a link. Pack the file itself.")


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Name of an entry; Chinese Windows packs names in GBK without saying so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return name.replace("\\", "/")
