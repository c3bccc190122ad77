"""The page that shows several runs side by side, one self-contained file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from steadyhand.report.chart import Interval, Line, interval_chart, line_chart
from steadyhand.report.compared_runs import Curve, Group, curves
from steadyhand.report.page import page_environment
from steadyhand.report.records import Row

__all__ = ["render_comparison"]

MOST_DIFFERENCES = 60


def render_comparison(groups: Sequence[Group], numbers: Row) -> str:
    """Return the page.

    Args:
        groups: The groups of runs.
        numbers: The result of `compared` for them.
    """
    tones = {group.label: f"tone{index}" for index, group in enumerate(groups)}
    drawn = {
        "success": _lines(curves(groups, "success"), tones, "Success without help, newest 20 episodes"),
        "help": _lines(curves(groups, "help"), tones, "Share of steps by the person, newest 20 episodes"),
        "runs": interval_chart(_runs(numbers["runs"], tones), "Success of every run, 95 % Wilson interval", None),
        "groups": interval_chart(_groups(numbers["groups"], tones), "Interquartile mean over the runs", None),
    }
    return (
        page_environment()
        .get_template("compare.html")
        .render(
            title="Steadyhand: " + ", ".join(tones),
            numbers=numbers,
            tones=tones,
            charts={name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704  our own SVG
            differences=numbers["differences"][:MOST_DIFFERENCES],
            more=max(0, len(numbers["differences"]) - MOST_DIFFERENCES),
        )
    )


def _lines(found: Sequence[Curve], tones: dict[str, str], title: str) -> str:
    lines = [Line(curve.label, tones[curve.label], curve.points, band=curve.band) for curve in found]
    return line_chart(lines, title, "robot minutes", percent=True)


def _runs(rows: Sequence[Row], tones: dict[str, str]) -> list[Interval]:
    return [
        Interval(f"{row['run']}: {_percent(row['success_rate'])}", tones[row["group"]], *_rates(row))
        for row in rows
        if row["success_rate"] is not None
    ]


def _rates(row: Row) -> tuple[float, float, float]:
    return row["success_rate"], row["wilson_low"], row["wilson_high"]


def _groups(rows: Sequence[Row], tones: dict[str, str]) -> list[Interval]:
    return [
        Interval(
            f"{row['group']}: {_percent(row['iqm'])} of {row['evaluated']} runs",
            tones[row["group"]],
            row["iqm"],
            row["iqm_low"],
            row["iqm_high"],
        )
        for row in rows
        if row["iqm_low"] is not None
    ]


def _percent(share: Any) -> str:
    return f"{100 * float(share):.1f} %"
