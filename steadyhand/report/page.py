"""The report as one self-contained HTML file, with style and pictures inside."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from steadyhand.report import figures
from steadyhand.report.records import Row, RunRecords
from steadyhand.terminal import duration_text

__all__ = ["page_environment", "render_page"]

MEDIA_TYPES = {".gif": "image/gif", ".png": "image/png"}
VIEW = "view_"


def render_page(run: RunRecords, summary: Row, no_film: str = "") -> str:
    """Return the page.

    Args:
        run: The records of the run.
        summary: The result of `summarise(run)`.
        no_film: The reason for missing pictures; shown in their place.
    """
    facts = [summary["run_name"], f"seed {summary['seed']}", summary["provenance"]["created"]]
    film = run.pictures.get("film")
    views = {name.removeprefix(VIEW): _picture(path) for name, path in run.pictures.items() if name.startswith(VIEW)}
    return (
        page_environment()
        .get_template("page.html")
        .render(
            title=f"Steadyhand: {summary['task'] or run.name}, seed {summary['seed']}",
            summary=summary,
            facts=[str(fact) for fact in facts if fact is not None],
            charts=_charts(run, summary),
            tiles=_tiles(summary),
            film=None if film is None else _picture(film),
            views=views,
            no_film=no_film,
            stops=_stops(summary),
            provenance=_provenance(summary),
            command=_command(summary["provenance"]),
            config=json.dumps(summary["provenance"]["config"], indent=2, ensure_ascii=False),
        )
    )


def page_environment() -> Environment:
    """Return the template engine. It escapes every value that is not marked safe, and refuses unknown names."""
    environment = Environment(
        loader=PackageLoader("steadyhand.report"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "figure": _figure,
        "percent": _percent,
        "plain_percent": lambda share: f"{100 * share:g} %",
        "seconds": _seconds,
    }
    return environment


def _charts(run: RunRecords, summary: Row) -> dict[str, Any]:
    """Return the drawings by name. They are SVG of `chart`, which escapes their texts."""
    learning = [
        (title, caption, Markup(chart))  # noqa: S704  our own SVG
        for name, title, caption in figures.LEARNING_CURVES
        if (chart := figures.learning_curve(run.learning, name, title))
    ]
    drawn = {
        "headline": "" if summary["success_rate"] is None else figures.headline(summary),
        "success": figures.success(run),
        "intervention": figures.intervention(run),
        "cycle_times": figures.cycle_times(run),
    }
    return {name: Markup(svg) for name, svg in drawn.items()} | {"learning": learning}  # noqa: S704  our own SVG


def _tiles(summary: Row) -> list[tuple[str, str, str]]:
    """Return name, value and note of each figure below the headline."""
    demo, bc = summary["demo_median_cycle_time_s"], summary["bc_success_rate"]
    share, demo_force = summary["intervention_share"], summary["demo_median_peak_force_n"]
    return [
        ("Median cycle time", _seconds(summary["median_cycle_time_s"]), f"{_seconds(demo)} in the demonstrations"),
        ("Successes in a row", _round(summary["longest_success_run"]), "at most, in the evaluation"),
        (
            "Median peak force",
            _newtons(summary["median_peak_force_n"]),
            f"{_newtons(demo_force)} in the demonstrations",
        ),
        ("Throughput", _round(summary["throughput_per_hour"]), "successes in an hour of control time"),
        ("Help in the last 50 episodes", _percent(summary["intervention_share_last50"]), f"{_percent(share)} over all"),
        ("Behaviour cloning alone", _percent(bc), f"on the same {summary['demos']} demonstrations"),
        ("Robot time", *_robot_time(summary)),
        ("Control steps", _round(summary["env_steps"]), f"in {summary['practice_episodes']} episodes"),
        ("Gradient updates", _round(summary["gradient_updates"]), f"{_ratio(summary['true_utd'])} per control step"),
        ("Wall time", duration_text(summary["wall_time_s"]), _stages(summary["stages"])),
    ]


def _robot_time(summary: Row) -> tuple[str, str]:
    """Return the robot's time in practice, and its share of control time."""
    control, whole = summary["control_minutes"], summary["robot_minutes"]
    if whole is None:
        return f"{control:.1f} min", "of practice, resets not counted"
    share, reset = _percent(summary["control_share"]), _seconds(summary["reset_p50_s"])
    return f"{whole:.1f} min", f"of practice, {share} of it control; a reset takes {reset}"


def _stops(summary: Row) -> list[tuple[str, int, int]]:
    """Return each stop reason with its number of practice and of evaluation episodes."""
    practice, evaluation = summary["stops"]["practice"], summary["stops"]["evaluation"]
    reasons = dict.fromkeys([*practice, *evaluation])
    return [(reason, practice.get(reason, 0), evaluation.get(reason, 0)) for reason in reasons]


def _provenance(summary: Row) -> list[tuple[str, str]]:
    facts = summary["provenance"]
    rows = [
        ("Source", facts["git_commit"] or "not known: no git checkout"),
        ("Started", facts["created"]),
        ("Started from", _origin(summary["earlier"])),
        ("Machine", f"{facts['host']}, {facts['platform']}"),
        ("Compute device", facts["device"]),
        ("Python", facts["python"]),
        ("Packages", ", ".join(f"{name} {version}" for name, version in facts["packages"].items())),
        ("Stages", "; ".join(f"{stage['name']} {duration_text(stage['wall_time_s'])}" for stage in summary["stages"])),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _origin(earlier: Row | None) -> str:
    """Return the run that gave weights or records, with the parts; "" without one."""
    if earlier is None:
        return ""
    step = "" if earlier["step"] is None else f", weights of step {earlier['step']}"
    return f"{earlier['run']} ({earlier['folder']}): {', '.join(earlier['take'])}{step}"


def _command(facts: Row) -> str:
    """Return the command that reproduces this run."""
    arguments = [str(argument) for argument in facts["command"] or ()][1:]
    commit = facts["git_commit"]
    checkout = "" if not commit else f"git checkout {commit.removesuffix('-dirty')}"
    if commit and commit.endswith("-dirty"):
        checkout += "   # and the changes that were not committed"
    return "\n".join(line for line in (checkout, shlex.join(["steadyhand", *arguments])) if line)


def _picture(path: Path) -> str:
    """Return a picture as a data URL."""
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _stages(stages: Sequence[Row]) -> str:
    longest = max(stages, key=lambda stage: float(stage["wall_time_s"]), default=None)
    return f"{duration_text(longest['wall_time_s'])} of it: {longest['name']}" if longest else ""


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f} %"


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} s"


def _newtons(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} N"


def _round(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.0f}"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"


def _ratio(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"
