"""Importing a community's files: see docs/import.md."""

from __future__ import annotations

from data.importing.importer import import_sources
from data.importing.options import ImportOptions, Progress, SourceFile
from data.importing.report import ImportRefusedError, ImportReport
from data.importing.sources import read_folder
from data.importing.undo import UndoReport, undo_import

__all__ = [
    "ImportOptions",
    "ImportRefusedError",
    "ImportReport",
    "Progress",
    "SourceFile",
    "UndoReport",
    "import_sources",
    "read_folder",
    "undo_import",
]
