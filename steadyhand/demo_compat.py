"""Checks of demonstrations against a run's task, and the conversion of records from an older set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.demo_settings import task_differences
from steadyhand.job import Job, task_identity
from steadyhand.learner.algos.algorithm import AlgorithmSettings
from steadyhand.learner.fit_bc import open_store
from steadyhand.learner.replay.replay_log import BEYOND
from steadyhand.learner.target_range import RewardSteps, fits_rewards, reward_steps, same_meaning
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.demo_set import DemoSetError, is_demo_set, read_manifest
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.run_identity import read_identity
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = [
    "action_gain",
    "action_gains",
    "carry_over",
    "check_demos",
    "check_rewards",
    "check_same_action",
    "check_same_robot",
    "check_task",
]
__all__ += ["check_recorded", "check_recorded_task", "demo_rewards", "recorded_gain", "reward_objection", "tell_gain"]

SCALES = ("action_scale_m", "action_scale_rad")
AXES = 3
MOST_SHOWN = 4  # differences in one line

logger = get_logger("demos")


def check_task(job: Job, demos: Path) -> None:
    """Refuse a demo set of another task, or one whose settings gave its records another meaning.

    Other differences are only logged: the start of episodes, and the contents of the mock's scene.

    Raises:
        DemoSetError: The folder holds such a set, or no demo set.
    """
    manifest = read_manifest(demos)
    check_recorded_task(job, demos, manifest.task, manifest.episode_settings)


def check_recorded_task(
    job: Job, demos: Path, task: Mapping[str, Any], episode_settings: Sequence[str] | None, what: str = "demonstrations"
) -> None:
    """Check records of `task` as `check_task` checks a demo set.

    Args:
        job: The job whose task is required.
        demos: The folder of the records, for the error.
        task: Resolved configuration of the task at the time of recording.
        episode_settings: As `task_differences` takes them.
        what: Name of the records, for the error.

    Raises:
        DemoSetError: The records are of another task, or had another meaning.
    """
    wanted, found = (task_identity(one) for one in (job.settings.composed["task"], task))
    if wanted != found:
        raise DemoSetError(
            f"{demos}: expected {what} of {wanted}, found those of {found}; choose their task or other ones"
        )
    differences = task_differences(task, job.settings.composed["task"], episode_settings)
    matters = [difference for difference in differences if difference.matters]
    if matters:
        now, then = (", ".join(one.line(which) for one in matters[:MOST_SHOWN]) for which in ("now", "then"))
        more = f" and {len(matters) - MOST_SHOWN} more" if len(matters) > MOST_SHOWN else ""
        raise DemoSetError(
            f"{demos}: expected {what} recorded with {now}, found {then}{more}; "
            "give the settings that they were recorded with, or record others under a new run_name"
        )
    if differences:
        logger.warning(
            "%s: recorded with %s, now %s; the %s are used as they are",
            demos,
            *(", ".join(one.line(which) for one in differences[:MOST_SHOWN]) for which in ("then", "now")),
            what,
        )


def check_demos(job: Job, folders: Sequence[Path]) -> None:
    """Refuse demo sets of another task, sets of incompatible rewards, and rewards that give flat targets.

    Raises:
        DemoSetError: A set does not fit this run or the other sets, or has no usable step.
    """
    for folder in folders:
        check_task(job, folder)
    check_rewards(job, folders)


def check_rewards(job: Job, folders: Sequence[Path]) -> None:
    """Refuse demo sets whose rewards are incompatible, or give flat targets.

    Raises:
        DemoSetError: A set does not fit the other sets or the algorithm, or has no usable step.
    """
    rewards = {folder: _usable_rewards(job, folder) for folder in folders}
    for one, other in pairwise(folders):
        if not same_meaning(rewards[one], rewards[other]):
            expected, found = (_values(rewards[folder]) for folder in (one, other))
            raise DemoSetError(
                f"{other}: expected rewards of {expected} as in {one}, found {found}; they mean different things, "
                "so take one of the two sets"
            )
    for folder, steps in rewards.items():
        if line := fits_rewards(_algo(job), steps):
            raise DemoSetError(f"{folder}: {line}")


def _values(steps: RewardSteps) -> str:
    return " and ".join(f"{value:g}" for value in steps.sparse_values)


def reward_objection(job: Job, log: Path) -> str:
    """Return one line saying why the algorithm would flatten the targets of a practice log; "" if it would not."""
    store, readers = open_store([log])
    try:
        return fits_rewards(_algo(job), reward_steps(store, store.online, _algo(job).sampling.gamma))
    finally:
        for reader in readers:
            reader.close()


def check_recorded(job: Job, demos: Path) -> None:
    """Check a newly recorded demo set, and warn if a learner with these settings will refuse its rewards.

    Raises:
        DemoSetError: The set has no usable step.
    """
    if line := fits_rewards(_algo(job), _usable_rewards(job, demos)):
        logger.warning("`learn` will refuse these demonstrations with these settings: %s", line)


def _usable_rewards(job: Job, demos: Path) -> RewardSteps:
    steps, recorded = demo_rewards(job, demos), read_manifest(demos).steps
    if recorded and not len(steps.reward):
        raise DemoSetError(
            f"{demos}: expected steps to learn from, found none that is valid of {recorded}; their rewards or "
            "observations are not finite, so fix the environment and record anew under a new run_name"
        )
    return steps


def demo_rewards(job: Job, demos: Path) -> RewardSteps:
    """Return the rewards of a demo set's steps, with its labels applied."""
    store, readers = open_store([demos])
    try:
        return reward_steps(store, store.demo, _algo(job).sampling.gamma)
    finally:
        for reader in readers:
            reader.close()


def _algo(job: Job) -> AlgorithmSettings:
    settings: AlgorithmSettings = job.settings.algo.settings
    return settings


def action_gain(job: Job, demos: Path) -> tuple[float, ...]:
    """Return the gain (A,) that rescales a demo set's actions to this run's action scale; () = 1.

    Raises:
        DemoSetError: The folder is no demo set.
    """
    manifest = read_manifest(demos)
    return recorded_gain(job, demos, manifest.task, manifest.schema)


def recorded_gain(job: Job, demos: Path, task: Mapping[str, Any], schema: Schema) -> tuple[float, ...]:
    """Return the gain for records of `task` and `schema` as `action_gain` does for a demo set.

    Raises:
        DemoSetError: The recorded actions have another size than those of the task's arm.
    """
    then, now = (one.get("drive") or {} for one in (task, job.settings.composed["task"]))
    ratios = [float(then[name]) / float(now[name]) if then.get(name) and now.get(name) else 1.0 for name in SCALES]
    if ratios == [1.0, 1.0]:
        return ()
    gripper = [1.0] if now.get("learns_gripper") else []
    arm = [*[ratios[0]] * AXES, *[ratios[1]] * AXES, *gripper]
    arms, rest = divmod(schema.action.shape[0], len(arm))
    if rest:
        raise DemoSetError(
            f"{demos}: expected actions of {len(arm)} numbers an arm, found {schema.action.shape[0]}; record anew"
        )
    return tuple(arm * arms)


def action_gains(job: Job, folders: Sequence[Path]) -> dict[str, tuple[float, ...]]:
    """Return the gains other than 1 by session id, and log how many steps of each set are not usable."""
    gains = {}
    for folder in folders:
        if is_demo_set(folder) and (gain := action_gain(job, folder)):
            gains[read_manifest(folder).session_id] = gain
            tell_gain(folder, gain)
    return gains


def tell_gain(folder: Path, gain: tuple[float, ...]) -> None:
    """Log that the actions of a log are rescaled, and how many steps cannot be."""
    beyond, steps = _beyond(folder, gain)
    logger.warning(
        "%s: recorded with other action scales; actions are multiplied by %s, and %d of %d steps, which moved "
        "further than an action of this run can, are not learnt from",
        folder,
        " ".join(f"{value:g}" for value in dict.fromkeys(gain)),
        beyond,
        steps,
    )


def check_same_action(job: Job, demos: Path) -> None:
    """Refuse to continue a demo set with different action scales.

    Raises:
        DemoSetError: The scales differ.
    """
    if action_gain(job, demos):
        found = (read_manifest(demos).task.get("drive") or {}).get
        own = ", ".join(f"task.drive.{name}={found(name)}" for name in SCALES)
        raise DemoSetError(f"{demos}: expected the action scales of the set ({own}), found others; use a new run_name")


def check_same_robot(job: Job, demos: Path) -> None:
    """Refuse to continue a demo set on another robot.

    Raises:
        DemoSetError: The robot is another one.
    """
    if line := read_identity(demos).robot_difference(job.identity):
        raise DemoSetError(f"{demos}: recorded on another robot ({line}); choose its robot=..., or a new run_name")


def carry_over(old: Schema, new: Schema) -> list[tuple[str, str]]:
    """Return for each field whether records of an old set-up are usable in a new one, as (field, verdict).

    Args:
        old: Schema of the old records.
        new: Schema of the new records.
    """
    before, now = ({field.name: field for field in schema.observation} for schema in (old, new))
    verdicts = []
    for name in dict.fromkeys([*now, *before]):
        if name not in now:
            verdicts.append((name, "no longer recorded; the old values are left unread"))
        elif name not in before:
            verdicts.append((name, f"new: serves as long as the policy does not read it (policy.hidden_keys=[{name}])"))
        else:
            lines = _one_field(now[name]).diff(_one_field(before[name]))
            told = "; ".join(line.partition(": ")[2] for line in lines)
            verdicts.append((name, f"cannot carry over: {told}" if lines else "carries over as it is"))
    rest = replace(new, observation=old.observation).diff(old)
    verdicts.append(("action, period", f"cannot carry over: {'; '.join(rest)}" if rest else "carry over as they are"))
    return verdicts


def _one_field(field: FieldSpec) -> Schema:
    action = FieldSpec("action", (1,), "float32", -1.0, 1.0, "1", "")
    return Schema((field,), action, command_size=0, reward_terms=(), control_period_s=1.0)


def _beyond(folder: Path, gain: tuple[float, ...]) -> tuple[int, int]:
    reader = LogReader(folder)
    rows = np.arange(len(reader))
    rows = rows[reader.gather(rows, "kind") == Kind.STEP]
    moved = np.abs(reader.gather(rows, "action") * np.asarray(gain, np.float32))
    reader.close()
    return int(np.count_nonzero((moved > BEYOND).any(axis=1))), len(rows)
