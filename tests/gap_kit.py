"""Simulated cells with a gap of a test's own."""

from __future__ import annotations

from typing import Any

from steadyhand.robot_envs.hardware import find_robot
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.robot_envs.mock.robot import MockRobot
from tests.config_kit import composed

BOARD = {
    "kind": "charuco_board",
    "squares_x": 5,
    "squares_y": 7,
    "square_m": 0.02,
    "marker_m": 0.014,
    "dictionary": "DICT_4X4_50",
}
BALL = {"kind": "marker", "radius_m": 0.02}


def make_arm(*overrides: str, tool: dict[str, Any] | None = None, episode: int = 0, **fixtures: Any) -> MockRobot:
    """Return a connected simulated arm at the start of an episode, with workpieces of a test's own."""
    scene = {"tool": tool, "fixtures": fixtures, "objects": {}}
    arm = find_robot(composed("task=reach", *overrides)["robot"]).make(scene).make_robot()
    arm.connect()
    arm.begin(episode)
    return arm


def make_camera(arm: MockRobot, name: str, height: int = 32, width: int = 32) -> RenderedCamera:
    """Return a connected camera of an arm's world."""
    camera = RenderedCamera(RenderedCameraConfig(height, width), name, arm.world)
    camera.connect()
    return camera
