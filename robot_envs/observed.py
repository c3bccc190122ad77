"""The observation of the arms: float32 vectors and uint8 frames.

The pose is relative to the pose at the episode's start, and twists are given in the tool's frame (SERL's relative
frame, arXiv 2401.16013 section IV-D). So the policy does not depend on the location of the task. The wrench is the
change since the episode's start, so it does not depend on the tare either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.env_config import EnvConfig
from steadyhand.robot_envs.frames import Array, pose_relative, pose_to_vector, quat_inverse, quat_rotate
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.sensor import Sensor
from steadyhand.robot_envs.tasks.task import ObservedVector, Task
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.observation_kinds import IMAGE, VECTOR

__all__ = ["Observation", "Observed", "privileged_fields"]

_WRENCH_SCALE = (20.0, 20.0, 20.0, 2.0, 2.0, 2.0)  # N, Nm: typical of a tool in contact
Observation = dict[str, NDArray[Any]]


class Observed:
    """Names, sizes, units and frames of the observation, and its values.

    Args:
        n_arms: Number of arms.
        config: Action scales, from which the scales of pose and twist follow.
        of_task: Vectors that the task adds, by name.
        cameras: Cameras; their names become keys.
        sensors: Sensors; their names become keys.
        at_exposure: True if the arms' motion is that of the frames' exposure, which is another quantity.

    Raises:
        ConfigError: Two fields have the same name.

    Attributes:
        space: Gymnasium space of an observation.
        field_specs: Unit, frame and scale of every entry, by name.
    """

    def __init__(
        self,
        n_arms: int,
        config: EnvConfig,
        of_task: Mapping[str, ObservedVector],
        cameras: Sequence[Camera],
        sensors: Sequence[Sensor] = (),
        at_exposure: bool = False,
    ) -> None:
        self._learns_gripper = config.learns_gripper
        own, felt = _vectors_of_arms(n_arms, config, at_exposure), {sensor.name: sensor.vector for sensor in sensors}
        vectors = own | dict(of_task) | felt
        names = [*own, *of_task, *felt, *(camera.name for camera in cameras)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ConfigError(f"observation {twice}: expected one field of that name, found two; rename view or sensor")
        self.field_specs = {name: (v.unit, v.frame, v.scale) for name, v in vectors.items()}
        self.field_specs |= {camera.name: ("rgb", camera.crop.seen_from, ()) for camera in cameras}
        boxes: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(-v.bound, v.bound, (v.size,), np.dtype(VECTOR.dtype).type) for name, v in vectors.items()
        }
        for camera in cameras:
            boxes[camera.name] = spaces.Box(0, 255, (camera.height, camera.width, 3), np.dtype(IMAGE.dtype).type)
        self.space = spaces.Dict(boxes)

    def vectors(
        self,
        state: RobotState,
        start_pose: Array,
        start_wrench: Array,
        previous_action: NDArray[np.float32],
        of_task: Mapping[str, NDArray[Any]],
    ) -> Observation:
        """Return the vectors of one observation, as flat float32.

        Args:
            state: State of the arms.
            start_pose: Pose at the episode's start, base frame. Shape (n_arms, 7); [m], xyzw.
            start_wrench: Measured wrench at the episode's start, tool frame. Shape (n_arms, 6); [N, Nm]. The observed
                wrench is the change since then: a policy would know each episode again by the error of its tare.
            previous_action: Previous action, in the action space.
            of_task: Vectors that the task adds, by name.
        """
        into_tool = quat_inverse(state.tcp_pose[:, 3:])
        twist = state.tcp_twist.reshape(-1, 2, 3)
        values: dict[str, NDArray[Any]] = {
            "tcp_pose": pose_to_vector(pose_relative(start_pose, state.tcp_pose)),
            "tcp_twist": quat_rotate(into_tool[:, None], twist).reshape(-1, 6),
            "wrench": state.wrench - start_wrench,
            "previous_action": previous_action,
        }
        if self._learns_gripper:
            values["gripper_width"] = state.gripper_width
        return {name: np.asarray(value, np.float32).ravel() for name, value in (values | dict(of_task)).items()}


def privileged_fields(task: Task) -> tuple[str, ...]:
    """Return the names of a task's fields that an image-based policy does not read.

    Raises:
        ConfigError: The task names a field that it does not observe.
    """
    names = tuple(getattr(task, "privileged", task.observed))
    if unknown := sorted(set(names) - set(task.observed)):
        observed = ", ".join(task.observed) or "none"
        raise ConfigError(
            f"{type(task).__name__}.privileged: expected names of fields that the task observes ({observed}), "
            f"found {', '.join(unknown)}"
        )
    return names


def _vectors_of_arms(n_arms: int, config: EnvConfig, at_exposure: bool) -> dict[str, ObservedVector]:
    step = np.repeat([config.action_scale_m, config.action_scale_rad], 3)
    size, period_s = n_arms * config.entries_per_arm, config.control_period_s
    when = ", at exposure" if at_exposure else ""

    def scale(*values: float) -> tuple[float, ...]:
        return tuple(map(float, values)) * n_arms

    vectors = {
        "tcp_pose": ObservedVector(6 * n_arms, 10.0, "m, rad", f"start pose{when}", scale(*(5.0 * step))),
        "tcp_twist": ObservedVector(6 * n_arms, 100.0, "m/s, rad/s", f"tool{when}", scale(*(step / period_s))),
        "wrench": ObservedVector(6 * n_arms, 1000.0, "N, Nm", "tool", scale(*_WRENCH_SCALE)),
        "previous_action": ObservedVector(size, 1.0, "1", "tool", (1.0,) * size),
    }
    if config.learns_gripper:
        vectors["gripper_width"] = ObservedVector(n_arms, 1.0, "m", f"gripper{when}", scale(config.gripper_open_m))
    return vectors
