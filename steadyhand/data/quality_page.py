"""The page about a set: lengths, returns, actions and cameras, with the warnings at the top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from steadyhand.data.quality import SetQuality
from steadyhand.report.chart import Bars, Line, Share, histogram, line_chart, share_chart
from steadyhand.report.page import page_environment

__all__ = ["render_quality"]

MOST_VALUES = 20_000  # of an axis in a histogram; more change nothing that is seen


def render_quality(quality: SetQuality, warnings: Sequence[str]) -> str:
    """Return the page, one HTML file without anything outside of it.

    Args:
        quality: The facts of the set.
        warnings: As `warning_lines` returns them.
    """
    episodes = quality.episodes
    steps = sum(one.steps for one in episodes)
    return (
        page_environment()
        .get_template("data.html")
        .render(
            title=f"Steadyhand: {quality.folder.name}",
            folder=str(quality.folder),
            warnings=list(warnings),
            tiles=_tiles(quality, steps),
            charts=[(title, note, Markup(svg)) for title, note, svg in _charts(quality) if svg],  # noqa: S704  our own SVG
            rows=[
                (one.episode_id, one.steps, "yes" if one.success else "no", f"{one.total_reward:g}", one.not_finite)
                for one in episodes
            ],
        )
    )


def _tiles(quality: SetQuality, steps: int) -> list[tuple[str, str, str]]:
    """Return name, value and note of each figure."""
    episodes = quality.episodes
    lengths = [one.steps for one in episodes] or [0]
    relative = "to the reference" if quality.coverage.has_reference else "to the set itself"
    unit = "different pairs / those of the reference" if quality.coverage.has_reference else "different pairs / steps"
    return [
        ("Episodes", str(len(episodes)), f"{sum(one.success for one in episodes)} successes"),
        ("Steps", f"{steps:,}", f"median {np.median(lengths):g}, {min(lengths)} to {max(lengths)} an episode"),
        ("Trajectory quality, TQ", _figure(quality.coverage.tq), f"mean return, relative {relative}"),
        ("State-action coverage, SACo", _figure(quality.coverage.saco), unit),
    ]


def _charts(quality: SetQuality) -> list[tuple[str, str, str]]:
    """Return title, note and drawing of each chart; "" = nothing to draw."""
    episodes = quality.episodes
    groups = [("successes", "policy", True), ("others", "person", False)]
    charts = [
        (
            "Lengths",
            "Successes in the first colour, other episodes in the second.",
            histogram(_by_success(quality, groups, "steps"), "Lengths", "steps of an episode"),
        ),
        (
            "Returns",
            "Sum of the rewards of an episode, labels applied.",
            histogram(_by_success(quality, groups, "total_reward"), "Returns", "return of an episode"),
        ),
        (
            "Length by episode",
            "In the order of recording: a trend shows an operator who learns or tires.",
            line_chart(
                [Line("steps", "policy", [(one.episode_id, one.steps) for one in episodes])],
                "Length by episode",
                "episode",
            ),
        ),
        (
            "Saturated share",
            "Steps in which an axis of the action is at its limit; an axis that only switches counts as 0.",
            share_chart(
                [Share(f"axis {axis}", "policy", float(share)) for axis, share in enumerate(quality.saturated)],
                "Saturated share",
            ),
        ),
    ]
    frozen = {name: max(one.frozen[name] for one in episodes) for one in episodes for name in one.frozen}
    longest = max((one.steps for one in episodes), default=1)
    charts.append(
        (
            "Frozen frames",
            "Longest run of one frame while the robot moves, as a share of the longest episode.",
            share_chart([Share(name, "person", run / longest) for name, run in frozen.items()], "Frozen frames")
            if frozen
            else "",
        )
    )
    stride = max(1, len(quality.actions) // MOST_VALUES)
    for axis in range(quality.actions.shape[1]):
        values = quality.actions[::stride, axis]
        values = values[np.isfinite(values)].tolist()
        note = "Always the same value." if axis in quality.stuck else "Values of all steps, in [-1, 1]."
        charts.append((f"Action, axis {axis}", note, histogram([Bars("action", "policy", values)], "Action", "value")))
    return charts


def _by_success(quality: SetQuality, groups: list[tuple[str, str, bool]], name: str) -> list[Bars]:
    return [
        Bars(
            label,
            tone,
            [float(value) for one in quality.episodes if one.success is won for value in _finite(one, name)],
        )
        for label, tone, won in groups
    ]


def _finite(episode: Any, name: str) -> list[float]:
    value = float(getattr(episode, name))
    return [value] if np.isfinite(value) else []


def _figure(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "-"
