"""Charts as inline SVG. Colours come from the page's classes, so one chart fits the light and the dark theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

__all__ = [
    "Bars",
    "Interval",
    "Line",
    "Share",
    "histogram",
    "interval_chart",
    "line_chart",
    "nice_ticks",
    "share_chart",
]

# The width of one card on a desktop and of a phone's screen, so that text has the same size on both.
WIDTH, HEIGHT = 440, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 12, 38
MAX_POINTS = 300  # points of a line; the screen cannot show more


@dataclass(frozen=True)
class Line:
    """One line. `tone` is the page's colour class; points that are not finite leave a gap.

    `band` is an interval around the line: x, low, high.
    """

    label: str
    tone: str
    points: Sequence[tuple[float, float]]
    filled: bool = False
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Bars:
    """The values behind one histogram outline."""

    label: str
    tone: str
    values: Sequence[float]


@dataclass(frozen=True)
class Interval:
    """A rate with its confidence interval, all within [0, 1]."""

    label: str
    tone: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Share:
    """One bar, a share within [0, 1]; without a share the label is a heading."""

    label: str
    tone: str
    share: float | None


def line_chart(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    percent: bool = False,
    reference: float | None = None,
    reference_label: str = "",
) -> str:
    """Draw lines over one x axis; `reference` is a dashed horizontal line."""
    kept = [(line, _thinned([point for point in line.points if all(map(math.isfinite, point))])) for line in lines]
    kept = [(line, points) for line, points in kept if points]
    if not kept:
        return ""
    xs = [x for _, points in kept for x, _ in points]
    ys = [y for _, points in kept for _, y in points] + ([] if reference is None else [reference])
    ys += [edge for line, _ in kept for _, *edges in line.band for edge in edges]
    x_ticks = nice_ticks(min(0.0, *xs), max(xs))
    y_ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if percent else nice_ticks(min(ys), max(ys))
    plot = _Plot((x_ticks[0], max(max(xs), x_ticks[0] + 1e-9)), (y_ticks[0], y_ticks[-1]))
    parts = [plot.axes(x_ticks, y_ticks, x_label, percent)]
    if reference is not None:
        parts.append(plot.reference(reference, reference_label))
    for line, points in kept:
        path = plot.path(points)
        if line.filled:
            area = f"{path} L{plot.x(points[-1][0]):.1f},{plot.y(y_ticks[0]):.1f}"
            parts.append(f'<path class="area {line.tone}" d="{area} L{plot.x(points[0][0]):.1f},{plot.bottom:.1f}Z"/>')
        if line.band:
            edge = [(x, high) for x, _, high in line.band] + [(x, low) for x, low, _ in reversed(line.band)]
            parts.append(f'<path class="area {line.tone}" d="{plot.path(edge)}Z"/>')
        parts.append(f'<path class="line {line.tone}" d="{path}"/>')
        end_x, end_y = points[-1]
        parts.append(f'<circle class="dot {line.tone}" cx="{plot.x(end_x):.1f}" cy="{plot.y(end_y):.1f}" r="3"/>')
    return _svg(title, parts)


def histogram(series: Sequence[Bars], title: str, x_label: str) -> str:
    """Draw outlines over shared bins; heights are shares of each series, and a tick marks each median."""
    series = [bars for bars in series if bars.values]
    if not series:
        return ""
    values = [value for bars in series for value in bars.values]
    x_ticks = nice_ticks(min(0.0, *values), max(values))
    low = x_ticks[0]
    edges = nice_ticks(low, x_ticks[-1], count=16)
    width, bins = edges[1] - edges[0], len(edges) - 1
    high = edges[-1]
    shares = {bars.label: _shares(bars.values, low, width, bins) for bars in series}
    top = max(max(share) for share in shares.values())
    y_ticks = nice_ticks(0.0, top, count=3)
    plot = _Plot((low, high), (0.0, max(top, y_ticks[-1])))
    parts = [plot.axes(x_ticks, y_ticks, x_label, percent=True)]
    for bars in series:
        corners = [(low, 0.0)]
        for index, share in enumerate(shares[bars.label]):
            corners += [(low + index * width, share), (low + (index + 1) * width, share)]
        path = plot.path([*corners, (high, 0.0)])
        parts.append(f'<path class="area {bars.tone}" d="{path}Z"/><path class="line {bars.tone}" d="{path}"/>')
        x = plot.x(median(bars.values))
        parts.append(f'<line class="median {bars.tone}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{plot.bottom}"/>')
    return _svg(title, parts)


def interval_chart(rows: Sequence[Interval], title: str, required: float | None) -> str:
    """Draw one rate per row on an axis from 0 to 100 %, with its interval, beside the required rate if there is one."""
    if not rows:
        return ""
    height = 34 + 52 * len(rows) + 26
    plot = _Plot((0.0, 1.0), (0.0, 1.0), height=height, left=12)
    parts = []
    if required is not None:
        x = plot.x(required)
        parts = [
            f'<text class="tick" x="{x:.1f}" y="14" text-anchor="end">required {_percent(required)}</text>',
            f'<line class="required" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{plot.bottom}"/>',
        ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        at = f'x="{plot.x(share):.1f}" y="{height - 18}"'
        parts.append(f'<text class="tick" {at} text-anchor="{anchor}">{_percent(share)}</text>')
    parts.append(f'<line class="axis" x1="{plot.x(0)}" x2="{plot.x(1)}" y1="{plot.bottom}" y2="{plot.bottom}"/>')
    for index, row in enumerate(rows):
        y = 66 + 52 * index
        rate, low, high = plot.x(row.rate), plot.x(row.low), plot.x(row.high)
        parts += [
            f'<text class="label" x="{plot.x(0):.1f}" y="{y - 18}">{escape(row.label)}</text>',
            f'<line class="track" x1="{plot.x(0)}" x2="{plot.x(1)}" y1="{y}" y2="{y}"/>',
            f'<line class="whisker {row.tone}" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>',
            f'<circle class="dot {row.tone}" cx="{rate:.1f}" cy="{y}" r="6"/>',
        ]
    return _svg(title, parts, height)


def share_chart(rows: Sequence[Share], title: str) -> str:
    """Draw one bar per row, all from the same left edge; the longest bar fills the space beside the labels."""
    step, left, longest = 20, 200, max((row.share or 0.0 for row in rows), default=0.0)
    parts = []
    for index, row in enumerate(rows):
        y = 16 + step * index
        if row.share is None:
            parts.append(f'<text class="label" x="12" y="{y + 2}">{escape(row.label)}</text>')
            continue
        width = (WIDTH - RIGHT - 50 - left) * row.share / max(longest, 1e-9)
        parts += [
            f'<text class="tick" x="{left - 8}" y="{y}" text-anchor="end">{escape(row.label)}</text>',
            f'<rect class="dot {row.tone}" x="{left}" y="{y - 10}" width="{width:.1f}" height="12"/>',
            f'<text class="tick" x="{left + width + 6:.1f}" y="{y}">{_percent(round(row.share, 3))}</text>',
        ]
    return _svg(title, parts, 16 + step * len(rows))


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers from at or below `low` to at or above `high`."""
    if high <= low:
        high = low + max(abs(low), 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


class _Plot:
    """The plotting area, which converts data coordinates to pixels."""

    def __init__(
        self, x_range: tuple[float, float], y_range: tuple[float, float], height: int = HEIGHT, left: int = LEFT
    ) -> None:
        self._x_range, self._y_range = x_range, y_range
        self._left, self.bottom = left, height - BOTTOM

    def x(self, value: float) -> float:
        low, high = self._x_range
        return self._left + (value - low) / (high - low) * (WIDTH - RIGHT - self._left)

    def y(self, value: float) -> float:
        low, high = self._y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - TOP)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def axes(self, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, percent: bool) -> str:
        right = WIDTH - RIGHT
        parts = []
        for tick in y_ticks:
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{self._left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            text = _percent(tick) if percent else _number(tick)
            parts.append(f'<text class="tick" x="{self._left - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        for tick in x_ticks:
            if tick <= self._x_range[1]:
                at = f'x="{self.x(tick):.1f}" y="{self.bottom + 17}"'
                parts.append(f'<text class="tick" {at} text-anchor="middle">{_number(tick)}</text>')
        at = f'x="{right}" y="{self.bottom + 33}"'
        parts.append(f'<text class="tick" {at} text-anchor="end">{escape(x_label)}</text>')
        return "".join(parts)

    def reference(self, value: float, label: str) -> str:
        y = self.y(value)
        text = f'<text class="tick" x="{WIDTH - RIGHT}" y="{y + 14:.1f}" text-anchor="end">{escape(label)}</text>'
        return f'<line class="required" x1="{self._left}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>{text}'


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most MAX_POINTS points: means over equal runs of neighbours, with the last point as it is."""
    size = math.ceil(len(points) / MAX_POINTS)
    if size <= 1:
        return list(points)
    runs = [points[start : start + size] for start in range(0, len(points), size)]
    means = [(sum(x for x, _ in run) / len(run), sum(y for _, y in run) / len(run)) for run in runs]
    return [*means[:-1], points[-1]]


def _shares(values: Sequence[float], low: float, width: float, bins: int) -> list[float]:
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width + 1e-9), bins - 1)] += 1  # 0.3 / 0.1 is just below 3
    return [count / len(values) for count in counts]


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _svg(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(title)}</title>'
    return f"{head}{''.join(parts)}</svg>"
