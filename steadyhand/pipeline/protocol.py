"""The protocol of an evaluation from the settings: listed starts, labels, interventions, notes to the operator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.evaluate import Protocol
from steadyhand.actor.evaluated_episode import EvaluatedEpisode
from steadyhand.actor.events import Events
from steadyhand.actor.operator_label import OperatorLabel
from steadyhand.actor.seeded_episodes import PlannedEpisode
from steadyhand.actor.starts import Start, digest_of, read_starts, seeded_starts
from steadyhand.actor.supervision.supervise import Supervised
from steadyhand.job import Job
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.report.open_evaluation import OpenEvaluation
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.runtime.build import ConfigError
from steadyhand.terminal import plain, say

__all__ = ["LISTED", "Starts", "policy_digest", "protocol_for", "setting_of", "starts_for"]

LISTED = "starts"  # key of the description of listed starts
# The groups of the configuration that an evaluation depends on.
SETTING = ("task", "robot", "gripper", "homing", "gap", "camera", "sensor", "device", "safety", "reward", "calibration")


@dataclass(frozen=True)
class Starts:
    """The starts of an evaluation: `episodes`, one start each, and `about` them for JSON."""

    episodes: tuple[Start, ...]
    about: Mapping[str, Any]


def starts_for(job: Job, seed: int, episodes: int) -> Starts:
    """Return the listed starts of the settings, each as often as they say, or `episodes` starts drawn from the seed.

    Raises:
        StartsError: The file of starts cannot be used.
    """
    config = job.settings.evaluation
    if config.starts is None:
        return Starts(seeded_starts(seed, episodes), {})
    listed = read_starts(Path(config.starts).expanduser())
    about = {"file": config.starts, "sha256": digest_of(listed), "count": len(listed), "repeats": config.repeats}
    return Starts(listed * config.repeats, {LISTED: about})


def policy_digest(policy: SavedPolicy) -> str:
    """Return the SHA-256 of a policy's weights."""
    digest = hashlib.sha256()
    for name, values in sorted(policy.tensors.items()):
        digest.update(name.encode() + values.tobytes())
    return digest.hexdigest()


def setting_of(job: Job, starts: Starts) -> dict[str, Any]:
    """Return everything beside the policy that an evaluation depends on, for its identity."""
    composed = job.settings.composed
    label = {"ask_label": job.settings.evaluation.ask_label, "starts": digest_of(starts.episodes)}
    return {**{name: composed[name] for name in SETTING}, **label}


def protocol_for(
    job: Job,
    person: Supervised,
    starts: Starts,
    stop: Callable[[], bool],
    events: Events,
    kept: OpenEvaluation | None,
    announce: Callable[[PlannedEpisode], object] = lambda episode: None,
) -> Protocol:
    """Return the protocol of the settings.

    Args:
        job: The settings.
        person: The environment and its operator, who may take over where a device is in an operator's hand.
        starts: Starts of the episodes.
        stop: Ends the wait for a label.
        events: Gets the wait for a label.
        kept: Takes the episodes as they are finished, and has those of an interrupted evaluation; None = none.
        announce: Called with every episode before its reset.

    Raises:
        ConfigError: Labels are asked without an operator, or start poses are listed for a foreign environment.
    """
    motion, config = person.motion, job.settings.evaluation
    if config.ask_label and motion is None:
        raise ConfigError(
            "evaluation.ask_label: expected a device in an operator's hand, found none; "
            "give device=keyboard, spacemouse, gamepad or web, or ask_label=false"
        )
    _check_poses(person.env, starts)

    def begin(episode: PlannedEpisode) -> None:
        announce(episode)
        if note := episode.start.note:
            line = f"start {episode.index}: {plain(note)}"
            say(line)
            if motion is not None and motion.enabled:
                motion.disable(line)  # the operator arranges the cell, then enables motion

    def keep(index: int, episode: EvaluatedEpisode) -> None:
        if kept is not None:
            kept.add(index, episode)

    return Protocol(
        starts=starts.episodes,
        operator=NoOperator() if motion is None else person.operator,
        hand_over=AT_ONCE if motion is None else job.settings.actor.hand_over,
        label=OperatorLabel(motion, events, stop) if config.ask_label and motion is not None else None,
        done=dict(kept.done) if kept is not None else {},
        keep=keep,
        announce=begin,
    )


def _check_poses(env: gymnasium.Env[Any, Any], starts: Starts) -> None:
    if isinstance(env.unwrapped, RobotEnv):
        return
    for index, start in enumerate(starts.episodes):
        if start.start_pose is not None:
            raise ConfigError(
                f"starts[{index}].start_pose: expected a robot's task, found {type(env.unwrapped).__name__}; "
                "list seeds alone"
            )
