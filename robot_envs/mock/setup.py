"""The robot component of a simulated arm. A further arm is one file with its `ArmModel` and a class derived from this.

Needs no MuJoCo until the arm is made: the settings are checked on machines that have none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from steadyhand.robot_envs.hardware import Hardware, RobotSetup
from steadyhand.robot_envs.mock.arm import ArmModel
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import MockConfig, SceneConfig
from steadyhand.runtime.config import ConfigError, build
from steadyhand.runtime.logging import quoted

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.robot import MockRobot

__all__ = ["SimulatedArm"]


class SimulatedArm(RobotSetup):
    """A robot of primitive geometry in MuJoCo, with the workpieces of the task's scene.

    Args:
        settings: Of the world, and of what separates the robot from a perfect one.
        scene: `tool`, `fixtures` and `objects` of the task.

    Raises:
        ConfigError: The scene is none.

    Attributes:
        arm: Its numbers.
    """

    settings_type = MockConfig
    simulated = True
    camera = RenderedCamera
    arm: ClassVar[ArmModel]

    def __init__(self, settings: MockConfig, scene: Mapping[str, Any]) -> None:
        self._settings = settings
        self._scene = build(SceneConfig, scene, "task.scene")

    def make(self) -> Hardware:
        """Make the world with the arm in it; the robot is its own stage."""
        robot = self.make_robot()
        world = robot.world
        return Hardware(robot, (), robot, world.clock, world.config.pace == "lockstep", world)

    def make_robot(self) -> MockRobot:
        """Make the arm alone.

        Raises:
            ConfigError: MuJoCo finds no renderer of the kind that MUJOCO_GL names.
            ImportError: MuJoCo is not installed.
        """
        try:
            from steadyhand.robot_envs.mock.robot import MockRobot
            from steadyhand.robot_envs.mock.world import World
        except ImportError:
            raise
        except Exception as error:  # each of MuJoCo's renderers refuses in its own way, when MuJoCo is imported
            chosen = os.environ.get("MUJOCO_GL", "")
            raise ConfigError(
                f"MUJOCO_GL: expected a renderer of this machine, egl, osmesa or glfw, found {quoted(chosen)} "
                f"({error}); unset it, or see `steadyhand doctor`"
            ) from None
        return MockRobot(self._settings.imperfections, World(self._settings.world, self._scene, self.arm))
