"""A blind comparison of a run's policy with another policy, kept in the run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.actor.comparison import Comparison, compare
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Events
from steadyhand.actor.seeded_episodes import PlannedEpisode
from steadyhand.actor.starts import Start
from steadyhand.actor.supervision.supervise import Supervised
from steadyhand.job import Job, task_identity
from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from steadyhand.pipeline.evaluation import runner_for
from steadyhand.pipeline.protocol import LISTED, Starts, policy_digest, protocol_for, setting_of
from steadyhand.policy_file import load_policy
from steadyhand.report.open_evaluation import OpenEvaluation
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.terminal import say

__all__ = ["NamedPolicy", "about_comparison", "compare_in", "find_policy", "open_comparison", "shuffled"]

RUN_NAME = "run_name="
ORDER = "order_seed"  # secret of an interrupted comparison
ORDER_BITS = 64


@dataclass(frozen=True)
class NamedPolicy:
    """A policy, and its name for people."""

    name: str
    policy: SavedPolicy


def find_policy(job: Job, text: str) -> NamedPolicy:
    """Return the policy that a word names: a run of the same `run_root`, a run folder, a checkpoint, a policy file.

    Raises:
        ConfigError: The policy was trained for another task.
        RunFolderError: There is no such run.
        CheckpointError, PolicyFileError: There is no policy at that place.
    """
    name = text.removeprefix(RUN_NAME)
    path = Path(name).expanduser()
    if text == name and path.is_file():
        return NamedPolicy(path.name, load_policy(path))
    folder = path if text == name and (path / "checkpoints").is_dir() else None
    if folder is None and text == name and path.is_dir() and path.parent != Path():
        return NamedPolicy(f"{path.parent.parent.name}/{path.name}", load_policy(path))
    run = RunFolder(job.run.path.parent if folder is None else folder.resolve().parent, path.name, create=False)
    task = (run.read_manifest() or {}).get("config", {}).get("task")
    wanted = task_identity(job.settings.composed["task"])
    if isinstance(task, dict) and task_identity(task) != wanted:
        raise ConfigError(f"run {run.name}: expected a policy of {wanted}, found {task_identity(task)}; compare others")
    return NamedPolicy(run.name, newest_policy(run.checkpoints))


def open_comparison(job: Job, policies: tuple[NamedPolicy, NamedPolicy], starts: Starts) -> OpenEvaluation:
    """Return the file of the comparison, with the hidden order of an interrupted one or a new one.

    Raises:
        ConfigError: Both policies are the same.
    """
    digests = [policy_digest(one.policy) for one in policies]
    if digests[0] == digests[1]:
        raise ConfigError(
            "--against: expected another policy, found the same weights; choose another run or checkpoint"
        )
    identity = {"compared": digests, "alpha": job.settings.evaluation.comparison.alpha, **setting_of(job, starts)}
    return OpenEvaluation(job.run, identity, {ORDER: secrets.randbits(ORDER_BITS)})


def compare_in(
    job: Job,
    person: Supervised,
    policies: tuple[NamedPolicy, NamedPolicy],
    starts: Starts,
    kept: OpenEvaluation,
    stop: Callable[[], bool],
    events: Events,
) -> Comparison:
    """Compare two policies in an open environment.

    Args:
        job: The settings.
        person: The environment and its operator.
        policies: The two policies.
        starts: One start a pair.
        kept: The episodes of an interrupted comparison, and the hidden order.
        stop: Ends the comparison early.
        events: Gets every episode, without the policy's name.

    Raises:
        ConfigError: A policy was trained on another robot, or the protocol cannot be kept here.
        SchemaError: A policy reads a field that the environment does not give.
    """
    env, pairs = person.env, len(starts.episodes)

    def announce(episode: PlannedEpisode) -> None:
        pair, place = divmod(episode.index, 2)
        say(f"pair {pair + 1} of at most {pairs}, episode {place + 1} of 2")

    protocol = protocol_for(job, person, starts, stop, events, kept, announce)
    order_seed = int(kept.secrets[ORDER])
    first, second = (runner_for(job, one.policy, env, job.seed) for one in policies)
    return compare(
        env,
        env_schema(env),
        (first, second),
        shuffled(starts, order_seed),
        order_seed,
        job.settings.evaluation.comparison.alpha,
        person.operator,
        replace(protocol, starts=None),
        stop,
        events,
    )


def shuffled(starts: Starts, order_seed: int) -> list[Start]:
    """Return listed starts in a random order, drawn anew for each repetition; drawn starts as they are.

    An early end would otherwise favour the policy that is better at the beginning of the list.
    """
    if LISTED not in starts.about:
        return list(starts.episodes)
    count, rng = int(starts.about[LISTED]["count"]), np.random.default_rng((order_seed, 1))
    firsts = range(0, len(starts.episodes), count)
    return [starts.episodes[first + place] for first in firsts for place in rng.permutation(count).tolist()]


def about_comparison(job: Job, policies: tuple[NamedPolicy, NamedPolicy], starts: Starts) -> dict[str, Any]:
    """Return a description of the comparison for JSON."""
    return {
        "policies": [
            {
                "name": one.name,
                "policy_version": one.policy.policy_version,
                "learner_epoch": one.policy.learner_epoch,
                "sha256": policy_digest(one.policy),
            }
            for one in policies
        ],
        "seed": job.seed,
        "overrides": [word for word in job.overrides if not word.startswith(("run_root=", "run_name="))],
        **starts.about,
    }
