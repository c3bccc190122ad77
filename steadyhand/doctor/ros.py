"""Checks of ROS 2, its DDS, and the packages that a robot's profile needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from steadyhand.doctor.environment import is_simulated, is_there
from steadyhand.doctor.finding import Finding, broken, note, ok
from steadyhand.runtime.config import compose

__all__ = ["CHECKS"]

IMPORT_LIMIT_S = 30.0
TESTED_RMW = "rmw_fastrtps_cpp"
RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
DISTRIBUTION = "jazzy"
INDEX = "share/ament_index/resource_index/packages"
MESSAGE = re.compile(r"(\w+)/(?:msg|srv|action)/\w+")
# Kinds of profile parts whose messages come from packages outside ros-base.
PACKAGES = {
    "franka_state": "franka_msgs",
    "franka_error_recovery": "franka_msgs",
    "franka": "franka_msgs",  # the gripper
    "xarm_state": "xarm_msgs",
    "switch_controller": "controller_manager_msgs",
    "controller_active": "controller_manager_msgs",
    "gripper_command": "control_msgs",
    "parallel_gripper_command": "control_msgs",
}
# Packages that no apt repository of ROS has.
WORKSPACES = {"franka_msgs": "franka_ros2", "xarm_msgs": "xarm_ros2"}
LAST_DOMAIN = 101  # above it, a domain's ports overlap Linux's ephemeral ports


def check_rclpy(config: Mapping[str, Any]) -> Finding:
    """Check in a separate process that rclpy can be imported."""
    mend = "source /opt/ros/jazzy/setup.bash, or pip install '.[ros]' in the clone"
    if not is_there("rclpy"):
        missing = "not installed"
    else:
        missing = _failure("import rclpy")
        if not missing:
            distribution = os.environ.get("ROS_DISTRO", "from wheels, no ROS_DISTRO")
            return ok("rclpy", f"imports ({distribution})")
    if _is_needed(config):
        return broken("rclpy", missing, mend)
    return note("rclpy", f"{missing}; only robots behind ROS need it", mend)


def check_rmw(config: Mapping[str, Any]) -> Finding | None:
    """Check the middleware, which must be the same on every machine of the cell."""
    if not _is_present(config):
        return None
    chosen = os.environ.get("RMW_IMPLEMENTATION")
    if chosen in (None, "", TESTED_RMW):
        return ok("rmw", chosen or f"the default, {TESTED_RMW}")
    if failure := _failure("import rclpy; rclpy.init(); rclpy.shutdown()"):
        mend = f"sudo apt-get install {_apt_name(chosen)}, or unset RMW_IMPLEMENTATION"
        return (broken if _is_needed(config) else note)("rmw", f"{chosen} cannot be loaded: {failure}", mend)
    return note("rmw", f"{chosen}; tested is {TESTED_RMW}", "see that every machine of the cell has the same one")


def check_domain(config: Mapping[str, Any]) -> Finding | None:
    """Check the DDS domain of this machine."""
    if not _is_present(config):
        return None
    text = os.environ.get("ROS_DOMAIN_ID", "0") or "0"
    if text.isdigit() and int(text) <= LAST_DOMAIN:
        return ok("ROS_DOMAIN_ID", f"{text}; every machine of the cell must have the same one")
    say = broken if _is_needed(config) else note
    return say("ROS_DOMAIN_ID", f"{text!r}", f"export ROS_DOMAIN_ID=0, or another number up to {LAST_DOMAIN}")


def check_discovery(config: Mapping[str, Any]) -> Finding | None:
    """Check the discovery range of DDS, which has no access control: any node in range may command the robot."""
    if not _is_present(config):
        return None
    chosen = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    local = os.environ.get("ROS_LOCALHOST_ONLY") == "1"
    if chosen and chosen not in RANGES:
        mend = f"choose one of {', '.join(RANGES)}"
        return note("ROS_AUTOMATIC_DISCOVERY_RANGE", f"{chosen!r} is unknown to ROS", mend)
    if chosen in ("LOCALHOST", "OFF") or local:
        found = "this machine alone; the driver must run here too"
        return ok("ROS_AUTOMATIC_DISCOVERY_RANGE", f"{chosen or 'ROS_LOCALHOST_ONLY=1'}: {found}")
    mend = "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST unless the driver runs on another machine"
    found = f"{chosen or 'not set'}: everybody on the network may command the robot"
    return note("ROS_AUTOMATIC_DISCOVERY_RANGE", found, mend)


def check_workspace(config: Mapping[str, Any]) -> Finding | None:
    """Check that the shell has sourced a workspace with the nodes; `ros2 launch` finds them only there."""
    if not _is_needed(config):
        return None
    prefixes = [prefix for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    if not prefixes:
        mend = f"source /opt/ros/{DISTRIBUTION}/setup.bash, then install/setup.bash (docs/ros.md)"
        return note("workspace", "no workspace is sourced (AMENT_PREFIX_PATH is empty)", mend)
    gone = [prefix for prefix in prefixes if not Path(prefix).is_dir()]
    if gone:
        return note("workspace", f"sourced, but not there: {gone[0]}", "open a new terminal and source what is there")
    if not any((Path(prefix) / INDEX / "actor").exists() for prefix in prefixes):
        mend = "build the nodes and source install/setup.bash (docs/ros.md)"
        return note("workspace", f"the package actor is in none of the {len(prefixes)} sourced prefixes", mend)
    return ok("workspace", f"{len(prefixes)} sourced prefixes, one with the package actor")


def check_messages(config: Mapping[str, Any]) -> Finding | None:
    """Check for the profile's message packages that are not in ros-base."""
    if not _is_needed(config):
        return None
    profile = config["robot"].get("profile") or {}
    homing = {"control_msgs", "controller_manager_msgs"} if profile.get("homing") else set()
    needed = sorted({*_packages(profile), *homing})
    missing = [package for package in needed if not is_there(package)]
    if not missing:
        return ok("messages", ", ".join(needed) or "none beyond those of ros-base")
    mends = [
        f"build {WORKSPACES[package]} and source it"
        if package in WORKSPACES
        else f"apt-get install {_apt_name(package)}"
        for package in missing
    ]
    found = f"missing, and the profile needs it: {', '.join(missing)}"
    return broken("messages", found, f"{'; '.join(mends)}; where it is installed already, source its workspace")


def check_cv2(config: Mapping[str, Any]) -> Finding | None:
    """Check for OpenCV, which the actor's node needs to decode and resize images."""
    if not _is_needed(config):
        return None
    if is_there("cv2"):
        return ok("cv2", "there")
    mend = "pip install opencv-python-headless, or the extra robot (docs/ros.md)"
    return broken("cv2", "missing, and the actor's node needs it", mend)


def check_limits(config: Mapping[str, Any]) -> Finding | None:
    """Check that a real arm has the limits of its own cell; without them the actor refuses to be configured."""
    if not _is_needed(config) or is_simulated(config):
        return None
    if config["safety"] != compose([])["safety"]:
        return ok("limits", "of this cell")
    mend = "write safety/my_cell.yaml into your configuration folder and choose it with safety=my_cell (docs/ros.md)"
    return broken("limits", "those of the mock, not of this cell", mend)


def _packages(part: Any) -> Iterator[str]:
    """Yield the packages of a profile's message types, at any depth."""
    if isinstance(part, Mapping):
        if package := PACKAGES.get(str(part.get("kind"))):
            yield package
        for value in part.values():
            yield from _packages(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _packages(value)
    elif isinstance(part, str) and (found := MESSAGE.fullmatch(part)):
        yield found[1]


def _apt_name(package: str) -> str:
    return f"ros-{os.environ.get('ROS_DISTRO', DISTRIBUTION)}-{package.replace('_', '-')}"


def _failure(code: str) -> str:
    """Run code in a separate Python process; return the last line of its error, "" on success."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_LIMIT_S, check=False)  # noqa: S603
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]


def _is_needed(config: Mapping[str, Any]) -> bool:
    return bool(config["task"].get("kind") == "robot" and config["robot"].get("kind") == "ros")


def _is_present(config: Mapping[str, Any]) -> bool:
    return _is_needed(config) or is_there("rclpy")


CHECKS = (
    check_rclpy,
    check_workspace,
    check_messages,
    check_cv2,
    check_limits,
    check_rmw,
    check_domain,
    check_discovery,
)
