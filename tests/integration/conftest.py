"""Fixtures of the tests of who may see what."""

from tests.fixtures.access import access_store, clock

__all__ = ["access_store", "clock"]
