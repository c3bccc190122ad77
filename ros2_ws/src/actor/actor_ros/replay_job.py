"""The replay of a recorded episode behind ROS: what `steadyhand replay` does, with the actor's robot and enable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actor_ros.hardware import RosHardware
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.job import RobotJob
from steadyhand.pipeline.recorded_episode import Recorded, check_replayable, read_episode
from steadyhand.pipeline.recording_origin import check_recorded_task, recorded_seeds, run_of
from steadyhand.pipeline.replaying import Replayed, outcome_lines, replay
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import RobotTaskConfig, make_onlooker
from steadyhand.runtime.logging import get_logger

__all__ = ["Recording", "load_recording", "replay_in"]

FIRST = -1  # as number of the episode
MM, DEG = 1e3, 180.0 / np.pi

logger = get_logger("ros.replay")


@dataclass(frozen=True)
class Recording:
    """One recorded episode, read before anything moves.

    Attributes:
        folder: The demo set or log.
        episode: The episode.
        seeds: Seeds of the starts of its run, and the configured one.
    """

    folder: Path
    episode: Recorded
    seeds: tuple[int, ...]


def load_recording(folder: Path, number: int, config: Mapping[str, Any]) -> Recording:
    """Read an episode.

    Args:
        folder: A demo set or a log.
        number: Number of the episode; FIRST = its first.
        config: The composed configuration of the actor.

    Raises:
        LogError: There is no log, or it is damaged.
        ReplayError: There is no such episode, or it is of another task.
    """
    episode, run = read_episode(folder, None if number == FIRST else number), run_of(folder)
    check_recorded_task(folder, run, config["task"])
    return Recording(folder, episode, tuple(recorded_seeds(run, int(config["seed"]))))


def replay_in(
    job: RobotJob,
    cell: RosHardware,
    motion: MotionEnable,
    recording: Recording,
    env: RobotEnv,
    taught: SupervisedEnv,
    ending: Callable[[], bool],
) -> str:
    """Replay the episode once motion is enabled, through gate and watchdog, and return the result as one line.

    Raises:
        ReplayError: The episode means something else on this robot, or its start is not known.
        RobotError: The arm cannot reach the start.
    """
    task, episode = job.settings.task, recording.episode
    assert isinstance(task, RobotTaskConfig)  # RosHardware accepts no other
    check_replayable(episode.schema, taught, str(recording.folder))
    # The person's device is connected for its buttons; its motion is not used.
    with closing(SupervisedOperator(make_onlooker(job.settings.composed, env, cell.device), motion)):
        result = replay(taught, episode, task, recording.seeds, ending)
    first, *more = outcome_lines(episode, result)
    for line in more:
        logger.warning(line)
    return f"episode {episode.episode_id}, {_steps(episode, result)}; {first}"


def _steps(episode: Recorded, result: Replayed) -> str:
    text = f"{result.steps} of {len(episode.sent)} steps, start {result.start}"
    if not result.position_m:
        return text
    mean, largest, angle = np.mean(result.position_m) * MM, max(result.position_m) * MM, max(result.rotation_rad) * DEG
    return f"{text}; reached beside recorded: mean {mean:.2f} mm, largest {largest:.2f} mm and {angle:.2f} deg"
