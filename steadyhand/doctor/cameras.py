"""Checks of the configured cameras: each view is opened for a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steadyhand.doctor.finding import Finding, broken, ok
from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.trial import try_camera
from steadyhand.robot_envs.hardware import find_camera, find_robot, is_behind_ros
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["CHECKS"]


def check_cameras(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Check each view of a robot without ROS. A simulated robot renders the views that name no class."""
    if is_behind_ros(config["robot"]) or config["task"].get("kind") == "gym":
        return
    robot = find_robot(config["robot"]).type
    for name, view in (config["camera"].get("views") or {}).items():
        try:
            camera = find_camera(name, view, robot)
            if camera.type is robot.camera:
                yield ok(f"camera {name}", "rendered by the simulated robot")
                continue
            yield ok(f"camera {name}", str(try_camera(camera.make(name, None), MonotonicClock())))
        except ConfigError as error:
            yield broken(f"camera {name}", str(error), "correct it in configs/camera/ or on the command line")
        except CameraError as error:
            yield broken(f"camera {name}", str(error), "`steadyhand cameras` lists those that are plugged in")


CHECKS = (check_cameras,)
