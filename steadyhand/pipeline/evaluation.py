"""Evaluation of a policy on seeded episodes, with the result kept in the run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor import evaluate as judging
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Evaluation, Protocol
from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor_id import check_robot
from steadyhand.exporters.evaluations import evaluation_export
from steadyhand.job import Job, task_name
from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from steadyhand.pipeline.environment import driven_env
from steadyhand.policy_file import load_policy, runner_of
from steadyhand.report.evaluations import POLICY, keep_evaluation
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.runtime.build import ConfigError

__all__ = [
    "BASELINE",
    "BEFORE",
    "NEWEST",
    "about_evaluation",
    "baseline_path",
    "chosen_policy",
    "evaluate",
    "evaluate_in",
    "runner_for",
    "starting_policy",
    "trained_policy",
]

NEWEST, BEFORE, BASELINE = "newest", "start", "bc"  # words of evaluation.policy


def trained_policy(job: Job) -> SavedPolicy:
    """Return the newest policy of the run.

    Raises:
        CheckpointError: The run has no policy.
    """
    return newest_policy(job.run.checkpoints)


def starting_policy(job: Job) -> SavedPolicy:
    """Return the run's policy before the first online update.

    Raises:
        CheckpointError: The run has none.
    """
    return newest_policy(job.run.start)


def baseline_path(job: Job) -> Path:
    """Return the file of the best clone of the demonstrations, which `demo` makes."""
    return job.run.checkpoints / f"{BASELINE}.safetensors"


def chosen_policy(job: Job) -> tuple[str, SavedPolicy]:
    """Return the policy that `evaluation.policy` names, and the name under which its evaluation is kept.

    Raises:
        ConfigError: The policy is one of a run, and none is named.
        CheckpointError: The run has none.
        PolicyFileError: There is no such file, or it is no policy.
    """
    word = job.settings.evaluation.policy
    if word in (NEWEST, BEFORE, BASELINE) and job.settings.run_name is None:
        raise ConfigError("run_name: expected the name of a run, found none; `steadyhand runs` lists them")
    if word == NEWEST:
        return POLICY, trained_policy(job)
    if word == BEFORE:
        return BEFORE, starting_policy(job)
    if word == BASELINE:
        return BASELINE, load_policy(baseline_path(job))
    path = Path(word).expanduser()
    return path.name, load_policy(path)


def runner_for(job: Job, policy: SavedPolicy, env: gymnasium.Env[Any, Any], seed: int) -> PolicyRunner:
    """Return a runner of the policy in `env`.

    Raises:
        ConfigError: The policy was trained on another robot.
        SchemaError: The policy reads a field that the environment does not give.
        PolicyFileError: The weights do not fit the specification.
        EncoderError: The weights of the frozen encoder are missing, or do not fit.
    """
    check_robot(policy.identity, job.settings.composed, f"policy version {policy.policy_version}")
    return runner_of(policy, env_schema(env), seed, job.settings.policy.encoder_weights)


def evaluate(
    job: Job,
    policy: SavedPolicy,
    episodes: int,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    who: str = "",
) -> Evaluation:
    """Evaluate a policy on seeded episodes, unassisted; with `who`, keep the result in the run folder."""
    with driven_env(job.settings, seed) as env:
        return evaluate_in(job, env, NoOperator(), policy, episodes, seed, stop, events, who)


def evaluate_in(
    job: Job,
    env: gymnasium.Env[Any, Any],
    bystander: Operator,
    policy: SavedPolicy,
    episodes: int,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    who: str = "",
    protocol: Protocol | None = None,
) -> Evaluation:
    """Evaluate as `evaluate` does, in an open environment; `bystander` clears stops."""
    runner = runner_for(job, policy, env, seed)
    with evaluation_export(job) if who else nullcontext() as exported:
        result = judging.evaluate(
            env, env_schema(env), runner, episodes, seed, bystander, stop=stop, events=events, protocol=protocol
        )
        if exported is not None and not stop():
            about = about_evaluation(job, policy, seed, who)
            keep_evaluation(job.run, result, about, stage=who)
            exported.add(result, about)
    return result


def about_evaluation(job: Job, policy: SavedPolicy, seed: int, who: str) -> dict[str, Any]:
    """Return a description of the evaluation for JSON, to be kept beside the result."""
    return {
        "who": who,
        "task": task_name(job.settings.composed),
        "policy_version": policy.policy_version,
        "learner_epoch": policy.learner_epoch,
        "seed": seed,
        "overrides": [word for word in job.overrides if not word.startswith(("run_root=", "run_name="))],
    }
