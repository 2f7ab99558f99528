"""Clock and trend of the commander's page as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import poisson

from incidents.rates import garwood_interval
from ui.tables import LOCAL

_FONT = "font:13px sans-serif;fill:#9fb3cb"
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" role="img" style="width:100%"><title>{title}</title>'
)


def build_clock(weights: np.ndarray, weekdays: Sequence[str], *, title: str) -> str:
    """
    Weekday × hour as squares, the fuller the more.

    Parameters
    ----------
    weights
        Incidents of each weekday (Monday first) and hour, shape (7, 24).
    """
    most = max(float(weights.max()), 1e-9)
    side, left, top = 24, 56, 22
    parts = [_SVG.format(w=left + 24 * side, h=top + 7 * side, title=escape(title))]
    for hour in range(0, 24, 3):
        parts.append(
            f'<text x="{left + hour * side + side / 2}" y="14" text-anchor="middle" style="{_FONT}">{hour}</text>'
        )
    for day, name in enumerate(weekdays):
        parts.append(f'<text x="0" y="{top + day * side + 16}" style="{_FONT}">{escape(name)}</text>')
        for hour in range(24):
            value = float(weights[day, hour])
            fill = f'fill="#ff9e42" fill-opacity="{0.06 + 0.94 * value / most:.2f}"'
            parts.append(
                f'<rect x="{left + hour * side}" y="{top + day * side}" width="{side - 2}" height="{side - 2}" rx="3" '
                f"{fill}><title>{hour}:00 {value:.1f}</title></rect>"
            )
    return "".join(parts) + "</svg>"


def count_periods(
    begin: pd.Series, *, first: datetime, until: datetime, weeks: int
) -> tuple[list[datetime], list[int]]:
    """Beginnings of the whole periods of `weeks` weeks up to `until`, oldest first, and their counts."""
    step = timedelta(weeks=weeks)
    number = max(1, int((until - first) / step))
    edges = [until - step * k for k in range(number, -1, -1)]
    counts = [int(((begin >= a) & (begin < b)).sum()) for a, b in pairwise(edges)]
    return edges[:-1], counts


def build_trend(starts: Sequence[datetime], counts: Sequence[int], *, title: str) -> str:
    """
    Counts period by period with the exact 95 % interval of each, the last one lit, and the band of what is usual.

    The band holds 95 of 100 periods if nothing changed: the Poisson law of the mean of the periods before the last.
    """
    usual = counts[:-1] or counts
    low, high = (float(poisson.ppf(tail, max(float(np.mean(usual)), 1e-9))) for tail in (0.025, 0.975))
    top = max([high, 1.0, *(garwood_interval(count)[1] for count in counts)])
    width, height, left, bottom = 640, 220, 36, 26
    step = (width - left) / max(1, len(counts))

    def y(value: float) -> float:
        return (height - bottom) * (1 - value / top) + 6

    parts = [_SVG.format(w=width, h=height, title=escape(title))]
    parts.append(
        f'<rect x="{left}" y="{y(high):.1f}" width="{width - left}" height="{y(low) - y(high):.1f}" fill="#7cc4ee" '
        'fill-opacity="0.12"/>'
    )
    for value in (0, round(top / 2), round(top)):
        parts.append(f'<text x="0" y="{y(value) + 4:.1f}" style="{_FONT}">{value}</text>')
    for number, (start, count) in enumerate(zip(starts, counts, strict=True)):
        x = left + (number + 0.5) * step
        least, most = garwood_interval(count)
        colour = "#ff9e42" if number == len(counts) - 1 else "#7cc4ee"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y(least):.1f}" y2="{y(most):.1f}" stroke="{colour}" '
            'stroke-opacity=".5"/>'
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{y(count):.1f}" r="5" fill="{colour}"><title>{count}</title></circle>')
        if len(counts) <= 10 or number % 4 == len(counts) % 4:
            day = f"{start.astimezone(LOCAL):%m-%d}"
            parts.append(f'<text x="{x:.1f}" y="{height - 4}" text-anchor="middle" style="{_FONT}">{day}</text>')
    return "".join(parts) + "</svg>"


def build_curve(
    curve: pd.DataFrame, luck: pd.DataFrame | None, *, title: str, across: str, up: str, share: float = 0.8
) -> str:
    """
    The share of places (across, fullest first) that makes the share of incidents (up); dashed what luck alone makes.

    Parameters
    ----------
    curve, luck
        Columns place_share and incident_share, see `find_curve` and `find_luck_curve`.
    across, up
        Words at the axes.
    share
        Share of the incidents that is marked.
    """
    width, height, left, bottom, top = 640, 300, 48, 44, 10
    wide, high = width - left - 12, height - bottom - top

    def path(frame: pd.DataFrame) -> str:
        xs, ys = left + frame["place_share"] * wide, top + (1 - frame["incident_share"]) * high
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))

    parts = [_SVG.format(w=width, h=height, title=escape(title))]
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = left + value * wide, top + (1 - value) * high
        parts.append(f'<path d="M{left} {y:.1f}H{left + wide}" stroke="#2f4a66" stroke-opacity=".5"/>')
        parts.append(
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" style="{_FONT}">{100 * value:.0f}%</text>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{top + high + 18}" text-anchor="middle" style="{_FONT}">{100 * value:.0f}%</text>'
        )
    parts.append(f'<text x="{left}" y="{height - 6}" style="{_FONT}">{escape(across)}</text>')
    parts.append(f'<text x="{left + 6}" y="{top + 12}" style="{_FONT}">{escape(up)}</text>')
    if luck is not None:
        parts.append(f'<path d="{path(luck)}" fill="none" stroke="#9fb3cb" stroke-width="2" stroke-dasharray="6 5"/>')
    parts.append(f'<path d="{path(curve)}" fill="none" stroke="#ff9e42" stroke-width="3"/>')
    at = float(np.interp(share, curve["incident_share"], curve["place_share"]))
    x, y = left + at * wide, top + (1 - share) * high
    parts.append(f'<path d="M{x:.1f} {y:.1f}V{top + high}" stroke="#fff" stroke-dasharray="2 4"/>')
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#fff"><title>{100 * at:.0f}%</title></circle>')
    return "".join(parts) + "</svg>"
