"""Message types of other ROS packages, imported when a profile needs them; a missing package is named."""

from __future__ import annotations

import importlib
import os
from typing import Any

__all__ = ["MissingPackageError", "load_type"]

_DISTRO = "jazzy"
# In no apt repository: these come with the robot's own workspace.
_FROM_SOURCE = {"xarm_msgs": "xarm_ros2", "franka_msgs": "franka_ros2"}


class MissingPackageError(ImportError):
    """A ROS package is not installed; the line says which and how to get it."""


def load_type(name: str) -> Any:
    """The class of a message, service or action, from its name as ROS writes it, such as std_srvs/srv/Trigger.

    Raises:
        MissingPackageError: Its package is not installed, or has no such type.
    """
    package, kind, short = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), short)
    except (ImportError, AttributeError):
        distro = os.environ.get("ROS_DISTRO", _DISTRO)
        apt = f"sudo apt-get install ros-{distro}-{package.replace('_', '-')}"
        how = f"build and source {_FROM_SOURCE[package]}" if package in _FROM_SOURCE else apt
        raise MissingPackageError(f"{name}: the package {package} is not installed; {how}") from None
