"""Message types of other ROS packages, imported when a profile needs them; an error names a missing package."""

from __future__ import annotations

import importlib
import os
from typing import Any

__all__ = ["MissingPackageError", "load_type"]

_DISTRO = "jazzy"
# Packages that are in no apt repository: they come with the robot's own workspace.
_FROM_SOURCE = {"xarm_msgs": "xarm_ros2", "franka_msgs": "franka_ros2"}


class MissingPackageError(ImportError):
    """A ROS package is not installed; the line names it and how to get it."""


def load_type(name: str) -> Any:
    """Return the class of a message, service or action by its ROS name, such as std_srvs/srv/Trigger.

    Raises:
        MissingPackageError: The package is not installed, or has no such type.
    """
    package, kind, short = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), short)
    except (ImportError, AttributeError):
        distro = os.environ.get("ROS_DISTRO", _DISTRO)
        apt = f"sudo apt-get install ros-{distro}-{package.replace('_', '-')}"
        how = f"build and source {_FROM_SOURCE[package]}" if package in _FROM_SOURCE else apt
        raise MissingPackageError(f"{name}: the package {package} is not installed; {how}") from None
