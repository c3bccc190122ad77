"""ROS 2 and its DDS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from steadyhand.doctor.environment import is_there
from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS"]

IMPORT_LIMIT_S = 30.0
TESTED_RMW = "rmw_fastrtps_cpp"
RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
LAST_DOMAIN = 101  # above it the ports of a domain overlap those that Linux gives to clients


def check_rclpy(config: Mapping[str, Any]) -> Finding:
    """Whether ROS' Python library can be imported, in a process of its own."""
    mend = "source /opt/ros/jazzy/setup.bash, or pip install 'steadyhand[ros]'"
    if not is_there("rclpy"):
        missing = "not installed"
    else:
        command = [sys.executable, "-c", "import rclpy"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_LIMIT_S, check=False)  # noqa: S603
        if done.returncode == 0:
            distribution = os.environ.get("ROS_DISTRO", "from wheels, no ROS_DISTRO")
            return ok("rclpy", f"imports ({distribution})")
        missing = (done.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
    if _is_needed(config):
        return broken("rclpy", missing, mend)
    return note("rclpy", f"{missing}; only robots behind ROS need it", mend)


def check_rmw(config: Mapping[str, Any]) -> Finding | None:
    """Which middleware speaks; every machine of the cell must use the same one."""
    if not _is_present(config):
        return None
    chosen = os.environ.get("RMW_IMPLEMENTATION")
    if chosen in (None, "", TESTED_RMW):
        return ok("rmw", chosen or f"the default, {TESTED_RMW}")
    return note("rmw", f"{chosen}; tested is {TESTED_RMW}", "see that every machine of the cell has the same one")


def check_domain(config: Mapping[str, Any]) -> Finding | None:
    """Which DDS domain this machine is in."""
    if not _is_present(config):
        return None
    text = os.environ.get("ROS_DOMAIN_ID", "0") or "0"
    if text.isdigit() and int(text) <= LAST_DOMAIN:
        return ok("ROS_DOMAIN_ID", f"{text}; every machine of the cell must have the same one")
    say = broken if _is_needed(config) else note
    return say("ROS_DOMAIN_ID", f"{text!r}", f"export ROS_DOMAIN_ID=0, or another number up to {LAST_DOMAIN}")


def check_discovery(config: Mapping[str, Any]) -> Finding | None:
    """How far this machine looks for others; DDS asks nobody for a password."""
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


def _is_needed(config: Mapping[str, Any]) -> bool:
    return bool(config["task"].get("kind") == "robot" and config["robot"].get("kind") == "ros")


def _is_present(config: Mapping[str, Any]) -> bool:
    return _is_needed(config) or is_there("rclpy")


CHECKS = (check_rclpy, check_rmw, check_domain, check_discovery)
