"""One recorded episode of an arm, and the check that its actions mean the same in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import OBSERVATION, Kind, Phase
from steadyhand.transport.schema import Schema

__all__ = ["POSE", "Recorded", "ReplayError", "check_replayable", "read_episode"]

POSE, TWIST, SENT = "tcp_pose", "tcp_twist", "previous_action"
OF_THE_ARM = (POSE, TWIST, "wrench", SENT, "gripper_width")  # fields that a replay needs to be equal


class ReplayError(ValueError):
    """A recording that cannot be replayed here."""


@dataclass(frozen=True)
class Recorded:
    """One recorded episode of T steps.

    Attributes:
        episode_id: Number of the episode.
        phase: Phase of the episode.
        schema: Schema of the records.
        sent: The actions as they were sent, hand-over ramps included. Shape (T, A), in [-1, 1].
        poses: Poses of the tools after 0 to T steps, from the pose at the start: [m] and rotation vectors [rad].
            Shape (T + 1, 6 n_arms); (T, 6 n_arms) of an episode that a crash cut short.
        commands: The commands after the gate: per arm the pose, base frame, and the gripper's width. Shape (T, C).
        success: Whether the episode succeeded.
        of_task: The vectors of the task at the start, by name.
    """

    episode_id: int
    phase: Phase
    schema: Schema
    sent: NDArray[np.float32]
    poses: NDArray[np.float64]
    commands: NDArray[np.float64]
    success: bool
    of_task: Mapping[str, NDArray[np.float32]]


def read_episode(folder: Path, episode_id: int | None) -> Recorded:
    """Read one episode of a demo set or a log; None = its first.

    Raises:
        LogError: There is no log, or it is damaged.
        ReplayError: The log has no such episode, or no records of an arm.
    """
    with closing(LogReader(folder)) as reader:
        names = {field.name for field in reader.schema.observation}
        if missing := sorted({POSE, TWIST, SENT} - names):
            raise ReplayError(
                f"{folder}: expected records of an arm with {POSE}, {TWIST} and {SENT}, found none of "
                f"{', '.join(missing)}; replay a task of an arm"
            )
        every = np.arange(len(reader))
        ids, kinds = reader.gather(every, "episode_id"), reader.gather(every, "kind")
        known = np.unique(ids[kinds == Kind.STEP]).tolist()
        chosen = int(known[0]) if episode_id is None and known else episode_id
        if chosen is None or chosen not in known:
            shown = ", ".join(map(str, known[:20])) or "none"
            raise ReplayError(f"{folder}: expected episode {chosen}, found {shown}; choose one with --episode")
        rows = every[(ids == chosen) & (kinds != Kind.LOST)]
        steps = rows[kinds[rows] == Kind.STEP]
        if len(np.unique(reader.gather(rows, "step_index"))) != len(rows) or rows[-1] - rows[0] != len(rows) - 1:
            raise ReplayError(f"{folder}: episode {chosen} has lost records; choose another one with --episode")
        noted = reader.gather(rows, OBSERVATION + SENT)
        sent = np.array(reader.gather(steps, "action"))
        sent[: len(rows) - 1] = noted[1:]
        return Recorded(
            episode_id=chosen,
            phase=Phase(int(reader.gather(steps[:1], "phase")[0])),
            schema=reader.schema,
            sent=sent,
            poses=np.asarray(reader.gather(rows, OBSERVATION + POSE), np.float64),
            commands=np.asarray(reader.gather(steps, "gated_command"), np.float64),
            success=bool(reader.gather(rows, "success").any()),
            of_task={
                one.name: reader.gather(rows[:1], OBSERVATION + one.name)[0]
                for one in reader.schema.observation
                if one.name not in OF_THE_ARM and len(one.shape) == 1
            },
        )


def check_replayable(recorded: Schema, env: gymnasium.Env[Any, Any], where: str) -> None:
    """Refuse a recording whose actions or poses mean something else in this environment.

    Args:
        recorded: Schema of the records.
        env: The environment.
        where: Name of the recording, for the error.

    Raises:
        ReplayError: The action scale, the control period, the size of an action or a field of the arm differs.
    """
    inner = env.unwrapped
    if not isinstance(inner, RobotEnv):
        raise ReplayError(f"{where}: expected a task of an arm, found {type(inner).__name__}; give its task=...")
    present = env_schema(env)
    if recorded.control_period_s != present.control_period_s:
        raise ReplayError(
            f"{where}: expected a control period of {present.control_period_s:g} s, found "
            f"{recorded.control_period_s:g} s; give task.drive.control_period_s={recorded.control_period_s:g}"
        )
    then, now = _action_scale(recorded), _action_scale(present)
    if not np.allclose(then, now, rtol=1e-6):
        raise ReplayError(
            f"{where}: expected an action scale of {now[0]:g} m and {now[1]:g} rad a step, found {then[0]:g} m and "
            f"{then[1]:g} rad; give task.drive.action_scale_m={then[0]:g} task.drive.action_scale_rad={then[1]:g}"
        )
    if recorded.action != present.action or recorded.command_size != present.command_size:
        raise ReplayError(
            f"{where}: expected actions of {present.action.shape} and commands of {present.command_size} numbers, "
            f"found {recorded.action.shape} and {recorded.command_size}; choose the robot and the task of the recording"
        )
    fields = [{one.name: one for one in schema.observation} for schema in (recorded, present)]
    for name in OF_THE_ARM:
        old, new = (side.get(name) for side in fields)
        if old != new:
            raise ReplayError(
                f"{where}: expected the field {name} as this robot gives it, found another shape, unit or frame; "
                "choose the robot and the task of the recording"
            )


def _action_scale(schema: Schema) -> tuple[float, float]:
    """Return the largest motion of a step [m], [rad], from the scale of the tool's twist."""
    scale = next(field.scale for field in schema.observation if field.name == TWIST)
    return scale[0] * schema.control_period_s, scale[3] * schema.control_period_s
