"""The numbers of a run, for `report.json` and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from statistics import median
from typing import Any

import numpy as np

from steadyhand.actor.episode_history import SHARE_WINDOW, History
from steadyhand.job import task_name
from steadyhand.report.evaluations import ABOUT
from steadyhand.report.records import Row, RunRecords

__all__ = ["summarise"]

CODE_PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "pyzmq", "msgspec", "safetensors", "hydra-core")


def summarise(run: RunRecords) -> dict[str, Any]:
    """Return the results of a run. An unknown value, such as the success of an unevaluated policy, is None."""
    policy, bc, start = (run.evaluations.get(who, {}) for who in ("policy", "bc", "start"))
    last = run.practice[-1] if run.practice else {}
    required = run.config.get("demo", {}).get("required_success")
    env_steps, updates = last.get("env_steps", 0), last.get("updates", 0)
    return {
        "run_name": run.name,
        "task": task_name(run.config),
        "seed": run.manifest.get("seeds", {}).get("seed", run.config.get("seed")),
        "required_success": required,
        "passed": None if required is None or not policy else policy["success_rate"] >= required,
        **{name: policy.get(name) for name in ("success_rate", "wilson_low", "wilson_high", "episodes")},
        "median_cycle_time_s": policy.get("median_cycle_time_s"),
        "demo_median_cycle_time_s": median(run.demo_cycles_s) if run.demo_cycles_s else None,
        "throughput_per_hour": policy.get("throughput_per_hour"),
        **_forces(policy.get("rows", ()), run.demo_peaks_n),
        "longest_success_run": _longest_run([bool(row["success"]) for row in policy.get("rows", ())]),
        **{f"bc_{name}": bc.get(name) for name in ("success_rate", "wilson_low", "wilson_high", "episodes")},
        "bc_median_cycle_time_s": bc.get("median_cycle_time_s"),
        **{f"start_{name}": start.get(name) for name in ("success_rate", "wilson_low", "wilson_high", "episodes")},
        "practice_gain": _gain(policy, (bc, start)),
        "evaluations": [_evaluation(row) for row in run.evaluated],
        "demos": len(run.demo_cycles_s),
        "earlier": dict(run.earlier) or None,
        "practice_episodes": len(run.practice),
        "actors": [_actor(name, rows) for name, rows in run.by_actor.items()],
        "env_steps": env_steps,
        **_robot_time(run.practice),
        "human_minutes": last.get("human_minutes"),
        "gradient_updates": updates,
        "true_utd": updates / env_steps if env_steps else None,
        "intervention_share": _share(run.practice),
        "intervention_share_last50": History(run.practice[-SHARE_WINDOW:]).intervention_share(),
        "wall_time_s": sum(stage["wall_time_s"] for stage in run.stages),
        "stages": [dict(stage) for stage in run.stages],
        "loops": run.loops,
        "stops": {"practice": _stops(run.practice), "evaluation": _stops(policy.get("rows", ()))},
        "provenance": _provenance(run),
    }


def _gain(policy: Row, before: Sequence[Row]) -> float | None:
    """Return what practice has added to the success rate of the better policy before it; None if that is unknown."""
    rates = [row["success_rate"] for row in before if row]
    return policy["success_rate"] - max(rates) if policy and rates else None


def _forces(rows: Sequence[Row], demo_peaks_n: Sequence[float]) -> Row:
    """Return the median peak force of the policy's successes and of the demonstrations [N]; None where unknown."""
    peaks = [row["peak_force_n"] for row in rows if row["success"] and row.get("peak_force_n") is not None]
    return {
        "median_peak_force_n": median(peaks) if peaks else None,
        "demo_median_peak_force_n": median(demo_peaks_n) if demo_peaks_n else None,
    }


def _longest_run(successes: Sequence[bool]) -> int | None:
    """Return the largest number of successes in a row; None without episodes."""
    if not successes:
        return None
    return max(sum(1 for _ in run) if success else 0 for success, run in groupby(successes))


def _robot_time(rows: Sequence[Row]) -> Row:
    """Return the robot's time in practice, with and without the resets; None where an older run has none of it."""
    last = rows[-1] if rows else {}
    control = last.get("control_minutes", 0.0)
    resets = [row["reset_s"] for row in rows if row.get("reset_s")]
    whole = last.get("robot_minutes") if resets else None
    p50, p99 = np.percentile(resets, (50, 99)).tolist() if resets else (None, None)
    return {
        "control_minutes": control,
        "robot_minutes": whole,
        "control_share": control / whole if whole else None,
        "reset_p50_s": p50,
        "reset_p99_s": p99,
    }


def _evaluation(row: Row) -> Row:
    """Return an evaluation without its episodes; a key that an older evaluation lacks is None."""
    about = row[ABOUT]
    names = ("episodes", "successes", "success_rate", "wilson_low", "wilson_high")
    return {
        **{name: row[name] for name in names},
        **{name: row.get(name) for name in ("interventions", "labelled", "agreed")},
        **{name: about.get(name) for name in ("date", "who", "policy_version", "seed", "starts")},
        "overrides": [str(word) for word in about.get("overrides", ())],
    }


def _actor(name: str, rows: Sequence[Row]) -> Row:
    """Return the results of one actor's practice."""
    history, last = History(rows), rows[-1]
    return {
        "actor": name,
        "episodes": len(rows),
        "env_steps": last.get("env_steps", 0),
        "control_minutes": last.get("control_minutes", 0.0),
        "success_alone_last50": history.success_alone(SHARE_WINDOW),
        "intervention_share": _share(rows),
    }


def _share(rows: Sequence[Row]) -> float:
    return float(sum(row["human_steps"] for row in rows) / max(1, sum(row["steps"] for row in rows)))


def _stops(rows: Sequence[Row]) -> dict[str, int]:
    return dict(Counter(row["stop_reason"] for row in rows if row.get("stop_reason")).most_common())


def _provenance(run: RunRecords) -> dict[str, Any]:
    manifest = run.manifest
    packages = manifest.get("packages", {})
    names = ("git_commit", "created", "host", "platform", "python", "command")
    return {
        **{name: manifest.get(name) for name in names},
        "device": manifest.get("compute_device"),
        "packages": {name: packages[name] for name in CODE_PACKAGES if name in packages},
        "config": run.config,
    }
