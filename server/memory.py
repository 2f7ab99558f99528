"""Memory that a server of months holds: bounded by how it is taken, given back after what takes much for a moment."""

from __future__ import annotations

import ctypes
import platform

import pyarrow

_M_ARENA_MAX = -8  # malloc.h of glibc
_GLIBC = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def bound_memory() -> None:
    """
    On glibc, two heaps for all threads: by default each of forty keeps for ever what one large scene once took.

    Texts of frames lie there too: Arrow's own heap gives nothing back.
    """
    if _GLIBC is not None:
        _GLIBC.mallopt(_M_ARENA_MAX, 2)
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())


def give_back() -> None:
    """Hand free pages of the heaps to the system; a few milliseconds."""
    if _GLIBC is not None:
        _GLIBC.malloc_trim(0)
