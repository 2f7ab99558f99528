"""What the person who imports can choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""


def no_progress(share: float, message: str) -> None:
    """For callers that do not show progress."""


@dataclass(frozen=True)
class SourceFile:
    """One file as bytes: `name` with its folders, forward slashes, never a path on the server's side."""

    name: str
    data: bytes


@dataclass(frozen=True)
class ImportOptions:
    """
    Choices of one import.

    Attributes
    ----------
    crs
        Coordinate system of the files that name none, e.g. `EPSG:4549`.
    encoding
        Encoding of text in Shapefile and CSV where UTF-8 and GB18030 are wrong, e.g. `big5`.
    skip_bad_rows
        Import the sound rows and list the others, instead of refusing the whole import.
    drop_persons
        Leave out columns about persons, instead of refusing the whole import.
    with_persons
        Keep the fields about persons that the schema knows; only an encrypted store with an administrator takes them.
    community_name
        Name of the community; None: from the boundary's file, else the store's name.
    address_prefix
        What standard addresses start with before the community's name.
    kinds
        For layers whose name says nothing: layer or file name -> kind, one of `data.importing.kinds.KINDS`.
    """

    crs: str | None = None
    encoding: str | None = None
    skip_bad_rows: bool = False
    drop_persons: bool = False
    with_persons: bool = False
    community_name: str | None = None
    address_prefix: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the hash of an import and its report."""
        return asdict(self) | {"kinds": dict(self.kinds)}
