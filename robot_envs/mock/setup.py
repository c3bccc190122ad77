"""The robot component of a simulated arm. Another arm is one file with its `ArmModel` and a derived class.

MuJoCo is needed only when the arm is constructed, so that the settings can be checked on machines without it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from steadyhand.robot_envs.hardware import Hardware, RobotSetup
from steadyhand.robot_envs.mock.arm import ArmModel
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import MockConfig, SceneConfig
from steadyhand.robot_envs.mock.placed_arm import PlacedArm
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.logging import quoted

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.robot import MockRobot

__all__ = ["SimulatedArm"]


class SimulatedArm(RobotSetup):
    """A robot of primitive geometry in MuJoCo, with the workpieces of the task's scene.

    Args:
        settings: Settings of the world, and of the robot's imperfections.
        scene: `tool`, `fixtures` and `objects` of the task.

    Raises:
        ConfigError: The scene is invalid.

    Attributes:
        arm: Parameters of the arm.
    """

    settings_type = MockConfig
    simulated = True
    camera = RenderedCamera
    cameras: ClassVar[tuple[str, ...]] = ("wrist", "side")
    arm: ClassVar[ArmModel]

    def __init__(self, settings: MockConfig, scene: Mapping[str, Any]) -> None:
        self._settings = settings
        self._scene = build(SceneConfig, scene, "task.scene")

    def make(self) -> Hardware:
        """Construct the world with the arm; the robot is its own workpieces."""
        robot = self.make_robot()
        world = robot.world
        return Hardware(robot, (), robot, world.clock, world.config.pace == "lockstep", world)

    @property
    def placed(self) -> tuple[PlacedArm, ...]:
        """The arms at their places in the world."""
        return (PlacedArm(self.arm),)

    def make_robot(self) -> MockRobot:
        """Construct the first arm alone; the errors are those of `make_arms`."""
        return self.make_arms()[0]

    def make_arms(self) -> list[MockRobot]:
        """Construct the world, and every arm in it.

        Raises:
            ConfigError: MuJoCo finds no renderer of the kind that MUJOCO_GL names.
            ImportError: MuJoCo is not installed.
        """
        try:
            from steadyhand.robot_envs.mock.robot import MockRobot
            from steadyhand.robot_envs.mock.world import World
        except ImportError:
            raise
        except Exception as error:  # on import, each of MuJoCo's renderers fails with its own exception
            chosen = os.environ.get("MUJOCO_GL", "")
            raise ConfigError(
                f"MUJOCO_GL: expected a renderer of this machine, egl, osmesa or glfw, found {quoted(chosen)} "
                f"({error}); unset it, or see `steadyhand doctor`"
            ) from None
        settings = self._settings
        arms = self.placed
        world = World(settings.world, self._scene, arms, settings.gap)
        return [MockRobot(settings.imperfections, world, settings.gap, index) for index in range(len(arms))]
