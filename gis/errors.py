"""
Errors of the product.

    ShapanError                     everything that we raise on purpose; its text is a sentence for a person
    ├── GeographicCrsError          degrees where metres are needed (also ValueError)
    ├── CrsMismatchError            two coordinate systems that should be one (also ValueError)
    ├── CrsUnknownError             no CRS in the file and none given (also ValueError)
    ├── BadRecordError              a record that cannot be used (also ValueError)
    ├── RecordMissingError          no record with that id (also LookupError)
    ├── BadFileError                a file that cannot be read (also ValueError)
    ├── PortInUseError              another program listens there (also OSError)
    ├── StoreInUseError             another process owns the file (also RuntimeError)
    ├── StoreVersionError           the file is newer than this program (also RuntimeError)
    ├── StoreMigrationError         an older file could not be brought up to date (also RuntimeError)
    ├── StoreWriteError             the disk refused a write; nothing was written (also OSError)
    ├── StoreClosedError            the store is closed (also RuntimeError)
    ├── StoreMissingError           there is no such store (also FileNotFoundError)
    ├── StoreKeyError               an encrypted store, and its key is missing or wrong (also PermissionError)
    ├── AuditBrokenError            the log of looks and changes was tampered with, or its key is gone (also ValueError)
    └── RefusedError                a rule forbids it (also PermissionError)
        └── NotAllowedError         this role may not: the rights table or the grid forbids it

Policy: a message says what is wrong, which record and value, what was expected, and what to do next.
"""

from __future__ import annotations


class ShapanError(Exception):
    """Everything that Shapan raises on purpose."""


class GeographicCrsError(ShapanError, ValueError):
    """Degrees where metres are needed."""


class CrsMismatchError(ShapanError, ValueError):
    """Two coordinate systems that should be one; the message names both."""


class CrsUnknownError(ShapanError, ValueError):
    """A file without coordinate system, and none was given."""


class BadRecordError(ShapanError, ValueError):
    """A record that cannot be used; the message names record, value, what was expected and what to do."""


class RecordMissingError(ShapanError, LookupError):
    """There is no record with that id."""


class BadFileError(ShapanError, ValueError):
    """A file that cannot be read."""


class PortInUseError(ShapanError, OSError):
    """Another program listens on the port; the message names the port and the way out."""


class StoreInUseError(ShapanError, RuntimeError):
    """Another process owns the store."""


class StoreVersionError(ShapanError, RuntimeError):
    """The store was written by a newer program."""


class StoreMigrationError(ShapanError, RuntimeError):
    """An older store could not be brought up to date; it is as it was."""


class StoreWriteError(ShapanError, OSError):
    """The disk refused a write; nothing of it was written."""


class StoreClosedError(ShapanError, RuntimeError):
    """The store is closed."""


class StoreMissingError(ShapanError, FileNotFoundError):
    """There is no such store."""


class StoreKeyError(ShapanError, PermissionError):
    """The key of an encrypted store is missing, wrong or cannot be read."""


class RefusedError(ShapanError, PermissionError):
    """A rule forbids it; the message names the rule and the way out."""


class NotAllowedError(RefusedError):
    """The viewer's role may not; the message names the role and what it asked for."""


class AuditBrokenError(ShapanError, ValueError):
    """The log of looks and changes cannot be trusted or written; the message names the first bad row or the file."""


def find_kind(error: ShapanError) -> str:
    """Name of the class of this tree that `error` is: what is sent and printed, whatever subclass raised it."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == __name__)


def get_error_class(kind: str) -> type[ShapanError]:
    """The class that `find_kind` named; `ShapanError` for a name that is not in the tree."""
    found = globals().get(kind)
    return found if isinstance(found, type) and issubclass(found, ShapanError) else ShapanError
