"""Several runs side by side: their evaluations, and groups of runs with aggregates over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.report.aggregate import Array, iqm, probability_of_improvement, resampled, stratified_interval
from steadyhand.report.comparisons import read_comparisons
from steadyhand.report.evaluations import ABOUT, POLICY
from steadyhand.report.figures import rolling
from steadyhand.report.records import Row, RunRecords, read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolder

__all__ = ["MOST_GROUPS", "Curve", "Group", "compared", "curves", "parse_groups", "read_groups"]

MOST_GROUPS = 6  # the page has as many colours
GRID = 60  # points of an aggregated curve
WINDOW = 20  # newest episodes of a rolling mean
CURVE_SAMPLES = 1_000  # bootstrap samples of a curve
BOOTSTRAP_SEED = 0  # equal runs give equal intervals
OWN = ("seed", "run_name", "run_root")  # keys that differ between any two runs
COLUMNS: tuple[str, ...] = (
    "task",
    "seed",
    "episodes",
    "success_rate",
    "wilson_low",
    "wilson_high",
    "median_cycle_time_s",
    "throughput_per_hour",
    "practice_episodes",
    "env_steps",
    "robot_minutes",
    "control_minutes",
    "intervention_share",
    "gradient_updates",
)


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seeds, under one label."""

    label: str
    runs: tuple[RunRecords, ...]
    summaries: tuple[Row, ...]

    def scores(self) -> dict[str, Array]:
        """Return the success rates of the evaluated runs by task. Shape (runs,) each."""
        found: dict[str, list[float]] = {}
        for summary in self.summaries:
            if summary["success_rate"] is not None:
                found.setdefault(str(summary["task"]), []).append(float(summary["success_rate"]))
        return {task: np.array(values) for task, values in sorted(found.items())}


@dataclass(frozen=True)
class Curve:
    """One curve of a group over robot minutes.

    Attributes:
        label: The group's label.
        points: The run's curve, or the interquartile mean over the runs: (minutes, value).
        band: The 95 % interval over the runs: (minutes, low, high); empty for one run.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...]


def parse_groups(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of runs by label, from words such as `pegs-0` or `new:pegs-0,pegs-1`.

    Raises:
        ConfigError: There are fewer than two groups or too many, or a label or a run is named twice.
    """
    groups: dict[str, list[str]] = {}
    for word in words:
        label, colon, rest = word.partition(":")
        names = [name for name in (rest if colon else word).split(",") if name]
        label = label if colon else names[0] if names else word
        if not names or not label:
            raise ConfigError(f"runs compare: expected a run, or label:run,run, found {word!r}")
        if label in groups:
            raise ConfigError(f"runs compare: expected different groups, found {label!r} twice; give label:run,run")
        groups[label] = names
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise ConfigError(f"runs compare: expected 2 to {MOST_GROUPS} runs or groups, found {len(groups)}")
    every = [name for names in groups.values() for name in names]
    if twice := next((name for name in every if every.count(name) > 1), None):
        raise ConfigError(f"runs compare: expected every run once, found {twice!r} twice")
    return groups


def read_groups(root: Any, names: Mapping[str, Sequence[str]]) -> list[Group]:
    """Read the runs of every group.

    Raises:
        RunFolderError: A run does not exist, or is damaged.
    """
    groups = []
    for label, members in names.items():
        runs = tuple(read_run(RunFolder(root, name, create=False)) for name in members)
        groups.append(Group(label, runs, tuple(summarise(run) for run in runs)))
    return groups


def compared(root: Any, groups: Sequence[Group]) -> dict[str, Any]:
    """Return the numbers of the comparison, for the page and for JSON."""
    return {
        "runs": [_run(group, summary) for group in groups for summary in group.summaries],
        "groups": [_group(group) for group in groups],
        "probability_of_improvement": _improvements(groups),
        "blind_comparisons": _blind(root, groups),
        "differences": _differences(groups),
        "remarks": _remarks(groups),
    }


def curves(groups: Sequence[Group], value: str) -> list[Curve]:
    """Return one curve per group over robot minutes.

    Args:
        groups: The groups.
        value: success (without help), or help (share of steps by the person).
    """
    found = []
    for group in groups:
        lines = [_line(run, value) for run in group.runs]
        strata: dict[str, list[list[tuple[float, float]]]] = {}
        for line, summary in zip(lines, group.summaries, strict=True):
            if line:
                strata.setdefault(str(summary["task"]), []).append(line)
        kept = [line for task in strata.values() for line in task]
        if len(kept) == 1:
            found.append(Curve(group.label, tuple(kept[0]), ()))
        elif kept:
            found.append(_aggregated(group.label, list(strata.values())))
    return found


def _aggregated(label: str, strata: Sequence[Sequence[Sequence[tuple[float, float]]]]) -> Curve:
    lines = [line for task in strata for line in task]
    grid = np.linspace(max(line[0][0] for line in lines), min(line[-1][0] for line in lines), GRID)
    values = [np.array([_at(grid, line) for line in task]) for task in strata]
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    samples = iqm(resampled(values, rng, CURVE_SAMPLES), axis=1)
    low, high = np.percentile(samples, (2.5, 97.5), axis=0).tolist()
    middle = iqm(np.concatenate(values), axis=0).tolist()
    minutes = grid.tolist()
    return Curve(label, tuple(zip(minutes, middle, strict=True)), tuple(zip(minutes, low, high, strict=True)))


def _at(grid: Array, line: Sequence[tuple[float, float]]) -> Array:
    minutes, values = np.array(line, np.float64).T
    found: Array = np.interp(grid, minutes, values)
    return found


def _line(run: RunRecords, value: str) -> list[tuple[float, float]]:
    rows = run.practice
    minutes = [row["control_minutes"] for row in rows]
    if value == "help":
        return rolling(minutes, [row["human_steps"] for row in rows], WINDOW, [row["steps"] for row in rows])
    return rolling(minutes, [float(row["success"] and not row["helped"]) for row in rows], WINDOW)


def _run(group: Group, summary: Row) -> Row:
    return {"run": summary["run_name"], "group": group.label, **{name: summary[name] for name in COLUMNS}}


def _group(group: Group) -> Row:
    scores, low, high = group.scores(), None, None
    every = np.concatenate(list(scores.values())) if scores else np.zeros(0)
    if len(every) > 1:
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        low, high = stratified_interval(list(scores.values()), lambda drawn: iqm(drawn, axis=1), rng)
    return {
        "group": group.label,
        "runs": len(group.runs),
        "evaluated": len(every),
        "tasks": list(scores),
        "iqm": float(iqm(every)) if len(every) else None,
        "mean": float(every.mean()) if len(every) else None,
        "iqm_low": None if low is None else float(low),
        "iqm_high": None if high is None else float(high),
    }


def _improvements(groups: Sequence[Group]) -> list[Row]:
    """Return the probability of improvement of every pair of groups that has several runs of the same tasks."""
    found = []
    for place, second in enumerate(groups):
        for first in groups[place + 1 :]:
            a, b = first.scores(), second.scores()
            if not a or list(a) != list(b) or min(map(len, (*a.values(), *b.values()))) < 2:
                continue
            rng = np.random.default_rng(BOOTSTRAP_SEED)
            point, (low, high) = probability_of_improvement(list(a.values()), list(b.values()), rng)
            found.append({"better": first.label, "than": second.label, "probability": point, "low": low, "high": high})
    return found


def _blind(root: Any, groups: Sequence[Group]) -> list[Row]:
    """Return the kept blind comparisons between two of the runs."""
    names = [run.name for group in groups for run in group.runs]
    found = []
    for name in names:
        for one in read_comparisons(RunFolder(root, name, create=False)):
            first, second = one["first"], one["second"]
            if {first["name"], second["name"]} <= set(names):
                better = "" if not one["verdict"] else one[one["verdict"]]["name"]
                row = {"date": one[ABOUT]["date"], "first": first["name"], "second": second["name"], "better": better}
                rates = {"first_rate": first["success_rate"], "second_rate": second["success_rate"]}
                found.append({**row, **rates, "pairs": one["pairs"]})
    return sorted(found, key=lambda row: str(row["date"]))


def _differences(groups: Sequence[Group]) -> list[Row]:
    """Return the settings that are not equal in all runs."""
    flat = {run.name: dict(_leaves(run.config, "")) for group in groups for run in group.runs}
    keys = dict.fromkeys(key for values in flat.values() for key in values if key not in OWN)
    rows = [{"key": key, **{name: values.get(key) for name, values in flat.items()}} for key in keys]
    return [row for row in rows if len({repr(value) for name, value in row.items() if name != "key"}) > 1]


def _remarks(groups: Sequence[Group]) -> list[str]:
    """Return what makes the runs hard to compare, one line each."""
    lines = []
    runs = [(run, summary) for group in groups for run, summary in zip(group.runs, group.summaries, strict=True)]
    tasks = sorted({str(summary["task"]) for _, summary in runs})
    if len(tasks) > 1:
        lines.append(f"The runs are of different tasks: {', '.join(tasks)}.")
    missing = [run.name for run, summary in runs if summary["success_rate"] is None]
    if missing:
        lines.append(f"Not evaluated: {', '.join(missing)}.")
    protocols = {_protocol(run) for run, _ in runs if POLICY in run.evaluations}
    if len(protocols) > 1:
        lines.append("The evaluations have different starts or numbers of episodes.")
    single = [group.label for group in groups if len(group.runs) == 1]
    if single:
        lines.append(f"One run alone says nothing about other seeds: {', '.join(single)}.")
    return lines


def _protocol(run: RunRecords) -> tuple[Any, ...]:
    row = run.evaluations[POLICY]
    about = row.get(ABOUT, {})
    return row["episodes"], about.get("seed"), str(about.get("starts"))


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else str(key))]
    return [(path, value)]
