"""What every test may use: where the real data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sample import SampleCommunity, build_community

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real files; absent on a user's machine it skips loudly, in CI it fails."""
    folder = Path(os.environ.get("SHAPAN_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        message = f"No real data at {folder}: set SHAPAN_TEST_DATA to the folder that holds real_community/."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def sample_community() -> SampleCommunity:
    """The seeded sample, built once a run: tables with the schema's columns, and what was planted in them."""
    return build_community()
