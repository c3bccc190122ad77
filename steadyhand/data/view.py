"""Write one episode as a page: its frames, and the curves of every vector and of the action, with a slider."""

from __future__ import annotations

import argparse
import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from steadyhand.data.choice import chosen_numbers
from steadyhand.face.recorded import RecordedEpisode, read_log
from steadyhand.report import chart
from steadyhand.report.chart import Line, line_chart
from steadyhand.report.page import page_environment
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.settings import check_overrides
from steadyhand.terminal import say
from steadyhand.transport.schema import Schema

__all__ = ["EPILOG", "add_options", "render_episode", "run"]

EPILOG = (
    "The page holds everything it shows; it opens in any browser, without a network.\n"
    "example: steadyhand data view runs/pegs/demos 3 --html episode-3.html"
)
MOST_FRAMES = 150  # of each view; more are thinned evenly
QUALITY = 85  # of a JPEG
TONES = ("policy", "person", "baseline")
IN_ONE = len(TONES)  # curves in one chart


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the set, the episode and the page."""
    parser.add_argument("folder", type=Path, help="a demo set, or a session's log within a run")
    parser.add_argument("episode", help="its number, as `data show --episodes` shows it")
    parser.add_argument("--html", type=Path, help="the page; default: episode-<number>.html")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write the page."""
    check_overrides(overrides, "data view", ())
    log = read_log(options.folder)
    known = [one.episode_id for one in log.facts.episodes if one.steps]
    (number,) = chosen_numbers(options.episode, known, "data view")[:1]
    path = options.html or Path(f"episode-{number}.html")
    atomic_write_bytes(path, render_episode(log.episode(number), log.facts.schema, str(options.folder)).encode())
    say(f"page: {path}")
    return 0


def render_episode(episode: RecordedEpisode, schema: Schema, folder: str) -> str:
    """Return the page of one episode."""
    period_s = schema.control_period_s
    vectors = [(one.name, one.unit, episode.observations[one.name]) for one in schema.observation if not one.is_image]
    columns = [("action", schema.action.unit, episode.actions), *vectors, ("reward", "", episode.rewards[:, None])]
    views = {
        one.name: _strip(episode.observations[one.name][: len(episode)]) for one in schema.observation if one.is_image
    }
    return (
        page_environment()
        .get_template("episode.html")
        .render(
            title=f"Steadyhand: episode {episode.episode_id}",
            folder=folder,
            facts=[
                f"episode {episode.episode_id}",
                f"{len(episode)} steps, {len(episode) * period_s:.1f} s",
                "success" if episode.success else "no success",
                f"{int(episode.has_human.sum())} human steps",
            ],
            views=views,
            charts=[entry for name, unit, values in columns for entry in _charts(name, unit, values)],
            last=len(episode) - 1,
            period_s=period_s,
            tones=TONES,
            # Where a chart's first and last step are drawn, as shares of its width.
            left=chart.LEFT / chart.WIDTH,
            right=1.0 - chart.RIGHT / chart.WIDTH,
        )
    )


def _charts(name: str, unit: str, values: NDArray[Any]) -> list[tuple[str, Markup, list[list[float | None]]]]:
    """Return title, drawing and values by step of each chart of one vector, a few elements in each."""
    flat = values.reshape(len(values), -1)
    found = []
    for first in range(0, flat.shape[1], IN_ONE):
        part = flat[:, first : first + IN_ONE].astype(np.float64)
        lines = [
            Line(str(first + index), TONES[index], [(float(step), float(value)) for step, value in enumerate(column)])
            for index, column in enumerate(part.T)
        ]
        span = f" {first}" if flat.shape[1] > 1 and part.shape[1] == 1 else ""
        span = f" {first} to {first + part.shape[1] - 1}" if part.shape[1] > 1 else span
        title = f"{name}{span}{f' [{unit}]' if unit and unit != '1' else ''}"
        if svg := line_chart(lines, title, "step"):
            numbers = [[round(value, 5) if np.isfinite(value) else None for value in row] for row in part.tolist()]
            found.append((title, Markup(svg), numbers))  # noqa: S704  our own SVG
    return found


def _strip(frames: NDArray[np.uint8]) -> list[tuple[int, str]]:
    """Return (step, data URL) of at most `MOST_FRAMES` frames."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(int))
    found = []
    for step in chosen.tolist():
        out = io.BytesIO()
        Image.fromarray(frames[step]).save(out, format="JPEG", quality=QUALITY)
        found.append((step, f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"))
    return found
