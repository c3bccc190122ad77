"""A recorded episode again through the safety gate, from the same start, and the reached poses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from steadyhand.actor.control_loop import episode_seed
from steadyhand.pipeline.recorded_episode import POSE, Recorded, ReplayError
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.frames import (
    Array,
    length,
    pose_compose,
    pose_from_vector,
    pose_inverse,
    pose_relative,
    pose_to_vector,
    rotvec_from_quat,
)
from steadyhand.robot_envs.make import RobotTaskConfig, make_task
from steadyhand.robot_envs.start_pose import START_POSE
from steadyhand.robot_envs.teachable import EndedError

__all__ = ["Replayed", "action_towards", "outcome_lines", "replay"]

PER_ARM = 8  # entries of a gated command: pose and width
DIFFERENT = 0.1  # of a field's scale: more than the noise of a sensor
NEAR_M = 0.005  # distance within which a drawn start is that of the recording


@dataclass(frozen=True)
class Replayed:
    """Result of a replay.

    Attributes:
        start: Text on the source of the start.
        steps: Steps that were replayed.
        position_m: Distance between the recorded and the reached pose after each step, the largest of all arms.
        rotation_rad: The same of the rotation.
        success: Whether the task was done.
        stop_reason: Reason of a stop; "" without one.
        peak_force_n: Largest measured force.
        limited: Steps in which the gate sent another command than in the recording, by more than 1 mm.
        elsewhere: Vectors of the task that differ at the start: a workpiece is not where it was.
    """

    start: str
    steps: int
    position_m: tuple[float, ...]
    rotation_rad: tuple[float, ...]
    success: bool
    stop_reason: str
    peak_force_n: float
    limited: int
    elsewhere: tuple[str, ...]


def replay(
    env: gymnasium.Env[Any, Any],
    recorded: Recorded,
    task: RobotTaskConfig,
    seeds: Sequence[int],
    stop: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Send the recorded actions from the recorded start. The gate judges every one of them anew.

    In real time an arm is never twice at the same place after the same steps, and actions are steps from where it is.
    There the actions lead to the recorded commands, where the recording has them.

    Args:
        env: The environment, which `check_replayable` has accepted.
        recorded: The episode.
        task: The task, which draws the starts.
        seeds: Seeds of the starts of the recording's run. One of them gives the start, and on a simulated robot the
            workpieces; without one the start is that of the recorded commands.
        stop: Ends the replay early.

    Raises:
        ReplayError: The start is not known.
        RobotError: The arm cannot reach the start.
    """
    inner = env.unwrapped
    assert isinstance(inner, RobotEnv)
    scale = np.repeat([inner.config.action_scale_m, inner.config.action_scale_rad], 3)
    pose = _recorded_start(recorded, scale)
    seed = _seed_of_start(task, [episode_seed(one, recorded.phase, recorded.episode_id) for one in seeds], pose)
    if seed is None and pose is None:
        raise ReplayError("the start is not known: the recording has no commands, and no seed; replay one of a run")
    options = None if seed is not None else {START_POSE: pose}
    led_from = None if inner.lockstep else pose
    origin = "drawn from a seed of the recording" if seed is not None else "from the recorded commands"
    distances, angles = [], []
    info: dict[str, Any] = {"stop_reason": ""}
    peak_n, limited, steps = 0.0, 0, 0
    elsewhere: tuple[str, ...] = ()
    try:
        observation, info = env.reset(seed=0 if seed is None else seed, options=options)
        elsewhere = _elsewhere(observation, recorded)
        for action, command in zip(recorded.sent, recorded.commands, strict=True):
            if stop():
                break
            if led_from is not None:
                action = action_towards(command, led_from, observation[POSE], action, scale)
            observation, _, terminated, truncated, info = env.step(action)
            steps += 1
            peak_n = max(peak_n, float(info["force_n"]))
            limited += bool(len(command)) and _command_distance(info["gated_command"], command) > 1e-3
            if steps < len(recorded.poses):
                distance, angle = _apart(observation[POSE], recorded.poses[steps])
                distances.append(distance)
                angles.append(angle)
            if terminated or truncated:
                break
    except EndedError:
        pass
    finally:
        inner.hold()
    return Replayed(
        start=origin,
        steps=steps,
        position_m=tuple(distances),
        rotation_rad=tuple(angles),
        success=bool(info.get("success", False)),
        stop_reason=str(info["stop_reason"]),
        peak_force_n=peak_n,
        limited=limited,
        elsewhere=elsewhere,
    )


def action_towards(
    command: NDArray[Any], start: Array, reached: NDArray[Any], recorded: NDArray[Any], scale: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the action that leads each moving arm to a recorded command; at rest it stays the recorded one.

    Args:
        command: The command, base frame. Shape (n_arms * 8,): pose [m, xyzw] and gripper width [m] of each arm.
        start: Poses of the start, base frame. Shape (n_arms, 7).
        reached: Measured poses relative to the start. Shape (n_arms * 6,); [m, rad].
        recorded: The recorded action, whose gripper entries are kept. Shape (A,).
        scale: Motion of an entry of 1. Shape (6,); [m, rad].
    """
    arms = np.array(recorded, np.float64).reshape(len(start), -1)
    wanted = pose_relative(start, np.asarray(command, np.float64).reshape(len(start), PER_ARM)[:, :7])
    here = pose_from_vector(np.asarray(reached, np.float64).reshape(-1, 6))
    moving = arms[:, :6].any(axis=1)
    steps = np.clip(pose_to_vector(pose_relative(here, wanted)) / scale, -1.0, 1.0)
    arms[moving, :6] = steps[moving]
    return arms.reshape(-1).astype(np.float32)


def outcome_lines(recorded: Recorded, result: Replayed) -> list[str]:
    """Return the outcome beside the recorded one, and what was different, a line each."""
    outcome = f"stopped: {result.stop_reason}" if result.stop_reason else _said(result.success)
    lines = [f"outcome: {outcome}, recorded: {_said(recorded.success)}; largest force {result.peak_force_n:.1f} N"]
    if result.elsewhere:
        lines.append(
            f"a workpiece is not where it was: at the start another {', '.join(result.elsewhere)} was observed"
        )
    if result.limited:
        lines.append(
            f"the gate sent another command than in the recording, by more than 1 mm, in {result.limited} steps"
        )
    return lines


def _said(success: bool) -> str:
    return "success" if success else "no success"


def _elsewhere(observation: Mapping[str, NDArray[Any]], recorded: Recorded) -> tuple[str, ...]:
    """Return the names of the task's vectors that differ by more than a tenth of their typical size."""
    scales = {field.name: np.array(field.scale or 1.0) for field in recorded.schema.observation}
    found = {name: value for name, value in recorded.of_task.items() if name in observation}
    return tuple(
        name
        for name, value in found.items()
        if (np.abs(np.asarray(observation[name], np.float64) - value) > DIFFERENT * scales[name]).any()
    )


def _recorded_start(recorded: Recorded, scale: NDArray[np.float64]) -> Array | None:
    """Return the start pose (n_arms, 7) that the commands tell, or None without any.

    A command is the pose before it, moved by the action. The pose before it is known from the start. So every step
    gives the start, unless the gate has limited its command; the one that most others are near to counts.
    """
    if not recorded.commands.size:
        return None
    n_arms = recorded.commands.shape[1] // PER_ARM
    targets = recorded.commands.reshape(-1, n_arms, PER_ARM)[..., :7]
    motions = recorded.sent.reshape(len(recorded.sent), n_arms, -1)[..., :6].astype(np.float64) * scale
    before = recorded.poses[: len(targets)].reshape(-1, n_arms, 6)
    moving = np.abs(motions).max(axis=(1, 2)) > 0.0
    if not moving.any():
        return None
    path = pose_compose(pose_from_vector(before), pose_from_vector(motions))[moving]
    found = pose_compose(targets[moving], pose_inverse(path))
    apart = length(found[:, None, :, :3] - found[None, :, :, :3]).sum(axis=(1, 2))
    start: Array = found[int(apart.argmin())]
    return start


def _seed_of_start(task: RobotTaskConfig, seeds: Sequence[int], pose: Array | None) -> int | None:
    """Return the seed whose drawn start is nearest to the recorded one; None when none is near."""
    best, nearest = None, NEAR_M
    for seed in seeds:
        drawn = make_task(task).begin(seeding.np_random(seed)[0]).start_pose
        if pose is None:
            return seed
        distance = float(length(drawn[:, :3] - pose[:, :3]).max())
        if distance < nearest:
            best, nearest = seed, distance
    return best


def _apart(reached: NDArray[Any], wanted: NDArray[Any]) -> tuple[float, float]:
    """Return the distance [m] and the angle [rad] between two pose vectors (6 n_arms,), the largest of all arms."""
    a, b = (pose_from_vector(np.asarray(one, np.float64).reshape(-1, 6)) for one in (reached, wanted))
    between = pose_relative(a, b)
    return float(length(a[:, :3] - b[:, :3]).max()), float(length(rotvec_from_quat(between[:, 3:])).max())


def _command_distance(command: NDArray[Any], recorded: NDArray[Any]) -> float:
    a, b = (np.asarray(one, np.float64).reshape(-1, PER_ARM)[:, :3] for one in (command, recorded))
    return float(length(a - b).max())
