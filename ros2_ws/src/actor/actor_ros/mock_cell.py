"""The mock robot with the behaviour of a controller: ignored targets, faults, gains, workpieces. Needs no ROS."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.mock.robot import MockRobot
from steadyhand.robot_envs.mock.setup import SimulatedArm
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import find_component

__all__ = ["MockCell", "MockNodeConfig", "make_cell"]


@dataclass(frozen=True)
class MockNodeConfig:
    """Rates at which the node publishes.

    Attributes:
        state_rate_hz: Rate of pose, twist, joints and wrench.
        status_rate_hz: Rate of robot_ok, gripper and workpieces.
        image_rate_hz: Rate of each camera that has a subscriber.
    """

    state_rate_hz: float
    status_rate_hz: float
    image_rate_hz: float

    def __post_init__(self) -> None:
        for name in ("state_rate_hz", "status_rate_hz", "image_rate_hz"):
            if not 0.0 < getattr(self, name) <= 1000.0:
                raise ValueError(f"{name}: expected a rate up to 1000 Hz, found {getattr(self, name)}")


class MockCell:
    """One arm with its controller and its workpieces."""

    def __init__(self, robot: MockRobot) -> None:
        self.robot = robot
        self.ignored: Counter[str] = Counter()
        self.followed = 0
        self._width = 0.0
        self._fault_steps: list[str] = []
        robot.connect()
        self.robot.begin(0)
        world = self.robot.world
        self._width = world.gripper_width()
        # The rest position of the redundant joint is the current one, so that the arm does not creep.
        world.set_configuration(world.tcp_pose(), self._width)

    @property
    def is_well(self) -> bool:
        """True while the arm follows targets: no fault, or all recovery steps taken."""
        return not self._fault_steps

    def begin(self, seed: int) -> None:
        """Begin an episode and reseed its noise. As at a real cell, the arm is where the last episode left it."""
        self.robot.begin(seed, at_home=False)

    def place(self, poses: dict[str, Array]) -> None:
        """Place workpieces at poses (7,); unknown names are counted as ignored."""
        for name, pose in poses.items():
            if name in self.workpieces and np.isfinite(pose).all():
                self.robot.place(name, pose)
            else:
                self.ignored["unknown_workpiece"] += 1

    @property
    def workpieces(self) -> tuple[str, ...]:
        """The names of the workpieces that can be placed."""
        scene = self.robot.world.scene
        return (*scene.fixtures, *scene.objects)

    def target(self, pose: Array, frame: str, base_frame: str, publishers: int) -> None:
        """Process a target. Like a real controller, ignore a target that may not be followed, without an error."""
        reason = self._objection(pose, frame, base_frame, publishers)
        if reason:
            self.ignored[reason] += 1
            return
        self.followed += 1
        self.robot.command(RobotCommand(pose[None], np.array([self._width])))

    def gripper(self, width_m: float) -> None:
        """Set the gripper's target [m]."""
        if self.is_well and np.isfinite(width_m):
            self._width = width_m
            self.robot.world.set_gripper(float(np.clip(width_m, 0.0, 0.08)))

    def fail(self) -> None:
        """Trigger the arm's reflex: it stops and follows no target until both recovery steps are taken."""
        self.robot.hold()
        self._fault_steps = ["error_recovery", "activate_controller"]

    def recover(self, step: str) -> str:
        """Take one recovery step after a fault.

        Returns:
            Why the step was refused; "" if it was taken.
        """
        if not self._fault_steps:
            return ""
        if self._fault_steps[0] != step:
            return f"expected {self._fault_steps[0]} first"
        self._fault_steps.pop(0)
        if self.is_well:
            self.robot.hold()
        return ""

    def set_gains(self, stiffness_n_m: float, rotation_stiffness_nm_rad: float) -> None:
        """Change the controller's stiffness; the elbow is held at its current position."""
        self.robot.world.hold_posture()
        self.robot.world.set_impedance(stiffness_n_m, rotation_stiffness_nm_rad)

    def read(self) -> RobotState:
        """Return the current state of the arm."""
        return self.robot.read()

    def advance(self, until_ns: int) -> None:
        """Step the simulation until a time of its clock [ns]."""
        self.robot.world.clock.sleep_until(until_ns)

    def _objection(self, pose: Array, frame: str, base_frame: str, publishers: int) -> str:
        if not self.is_well:
            return "fault"
        if publishers > 1:
            return "second_publisher"
        if frame != base_frame:
            return "wrong_frame"
        return "" if np.isfinite(pose).all() else "non_finite"


def make_cell(config: dict[str, Any]) -> MockCell:
    """Make the mock robot of a composed configuration, with the workpieces of its task.

    Raises:
        ConfigError: The robot is not the mock behind ROS 2, or the task is not for an arm.
    """
    robot = config["robot"]
    if "world" not in robot or "mock_node" not in robot:
        raise ConfigError("robot: the mock robot's node expects mock_ros, found a real one; give robot:=mock_ros")
    if "scene" not in config["task"]:
        raise ConfigError("task: the mock robot's node expects a task for an arm, such as reach; found none")
    own = {key: robot[key] for key in ("entry_point", "world", "imperfections", "gap") if key in robot}
    arm = find_component(own, SimulatedArm, "robot")
    return MockCell(arm.make(config["task"]["scene"]).make_robot())
