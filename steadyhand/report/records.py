"""All records in a run folder, read once. A missing record gives an empty value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.earlier.note import read_earlier
from steadyhand.log_facts import read_log
from steadyhand.report.evaluations import newest_evaluations, read_evaluations
from steadyhand.report.practice import merged, practice_by_actor
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.demo_set import is_demo_set

__all__ = ["RunRecords", "loop_path", "read_run", "stages_path"]

Row = dict[str, Any]


@dataclass(frozen=True)
class RunRecords:
    """One run.

    Attributes:
        name: The name of the run.
        manifest: Program, machine and configuration of the run; {} before the first start.
        practice: One row per practice episode, as written by the actors, ordered by the end of the episodes.
        by_actor: The rows of each actor, by its id.
        learning: Rows of scalars, as written by the learner.
        evaluations: The newest unassisted evaluation of each policy, by its name: `policy`, `bc`.
        evaluated: All evaluations, the oldest first.
        stages: Rows of `name` and `wall_time_s`, in order of time.
        demo_cycles_s: Control time of each demonstration.
        demo_peaks_n: Largest measured force of each demonstration, where it is known.
        pictures: Pictures by name, such as `film` and `view_side`.
        earlier: The run that this one started from, its parts and the account of what fitted; {} without one.
        loops: Period statistics of each loop that records them, by its work: `practise`, `watchdog_practise`.
    """

    name: str
    manifest: Row
    practice: Sequence[Row]
    by_actor: Mapping[str, Sequence[Row]]
    learning: Sequence[Row]
    evaluations: dict[str, Row]
    evaluated: Sequence[Row]
    stages: Sequence[Row]
    demo_cycles_s: Sequence[float]
    demo_peaks_n: Sequence[float]
    pictures: dict[str, Path]
    earlier: Row
    loops: dict[str, Row]

    @property
    def config(self) -> Row:
        """Return the resolved configuration."""
        return dict(self.manifest.get("config", {}))


def read_run(run: RunFolder) -> RunRecords:
    """Read a run folder, during the run or after it."""
    media, by_actor = run.path / "media", practice_by_actor(run)
    demos = _demonstrations(run.demos)
    return RunRecords(
        name=run.name,
        manifest=run.read_manifest() or {},
        practice=merged(by_actor),
        by_actor=by_actor,
        learning=[_finite(row) for row in read_rows(run.metrics / "learner.jsonl")],
        evaluations=newest_evaluations(run),
        evaluated=read_evaluations(run),
        stages=read_rows(stages_path(run)),
        demo_cycles_s=[cycle_s for cycle_s, _ in demos],
        demo_peaks_n=[peak_n for _, peak_n in demos if peak_n is not None],
        pictures={path.stem: path for path in sorted(media.glob("*")) if path.suffix in (".gif", ".png")},
        earlier=read_earlier(run.path),
        loops={
            path.stem.removeprefix("loop_"): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(run.metrics.glob("loop_*.json"))
        },
    )


def loop_path(run: RunFolder, name: str) -> Path:
    """Return the file of a loop's period statistics: p50_ms, p99_ms, max_ms, periods, missed, bursts."""
    return run.metrics / f"loop_{name}.json"


def stages_path(run: RunFolder) -> Path:
    """Return the file of the time spent in each stage."""
    return run.metrics / "stages.jsonl"


def _finite(row: Row) -> Row:
    return {name: value for name, value in row.items() if not isinstance(value, float) or math.isfinite(value)}


def _demonstrations(demos: Path) -> list[tuple[float, float | None]]:
    """Return the duration [s] and the peak force [N] of each demonstration, over every demo set of the run."""
    found: list[tuple[float, float | None]] = []
    for folder in [demos, *sorted(path for path in demos.glob("*") if path.is_dir())]:
        if is_demo_set(folder):
            facts = read_log(folder)
            period_s = facts.schema.control_period_s
            found += [(one.steps * period_s, one.peak_force_n) for one in facts.episodes if one.success]
    return found
