"""Tails of three laws, against SciPy's own distributions, and what the wall's server loads of SciPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson

from incidents.laws import find_binomial_chances, find_normal_tail, find_poisson_tail

ROOT = Path(__file__).resolve().parents[2]


def test_tails_are_scipys() -> None:
    z = np.array([-40.0, -3.0, 0.0, 1.96, 8.0, 37.0, np.inf, np.nan])
    np.testing.assert_allclose(find_normal_tail(z), norm.sf(z), rtol=1e-13)
    k, mean = (axis.ravel() for axis in np.meshgrid(np.arange(-2, 60), [0.001, 0.7, 3.0, 41.5]))
    np.testing.assert_allclose(find_poisson_tail(k, mean), poisson.sf(k, mean), rtol=1e-13)
    assert find_poisson_tail(-1, 3.0) == 1.0


@pytest.mark.parametrize(
    ("most", "n", "share"), [(0, 0, 0.3), (5, 5, 0.3), (9, 40, 0.1), (9, 1, 0.5), (12, 10**5, 6e-5)]
)
def test_chances_are_scipys(most: int, n: int, share: float) -> None:
    most = min(most, n)
    np.testing.assert_allclose(
        find_binomial_chances(most, n, share), binom.pmf(np.arange(most + 1), n, share), rtol=1e-12
    )


def test_the_walls_server_starts_without_what_takes_much_memory() -> None:
    """scipy.stats takes 40 MB, GDAL 30, what makes documents and sheets 20: who needs them loads them."""
    heavy = "('scipy.stats', 'docx', 'pyogrio', 'openpyxl', 'typst')"
    code = f"import sys, app, ui.wall; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
