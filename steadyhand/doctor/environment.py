"""Checks of Python, packages and rendering."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok
from steadyhand.robot_envs.hardware import find_robot, is_behind_ros
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.provenance import SOURCE, git_commit

__all__ = ["CHECKS"]

SUPPORTED = ((3, 10), (3, 12))
# Import name -> name in the package index, of the packages that every configuration needs.
REQUIRED = {
    "numpy": "numpy",
    "torch": "torch",
    "gymnasium": "gymnasium",
    "zmq": "pyzmq",
    "msgspec": "msgspec",
    "safetensors": "safetensors",
    "hydra": "hydra-core",
    "rich": "rich",
    "tensorboard": "tensorboard",
    "PIL": "pillow",
    "yaml": "pyyaml",
}
RENDERERS = {"egl": ("EGL", "libegl1"), "osmesa": ("OSMesa", "libosmesa6")}


def check_steadyhand(config: Mapping[str, Any]) -> Finding:
    """Report the folder and the commit of the running source."""
    commit = git_commit(SOURCE)
    return ok("steadyhand", f"{SOURCE}{f', commit {commit[:12]}' if commit else ''}")


def check_python(config: Mapping[str, Any]) -> Finding:
    """Check that this Python version is a tested one."""
    found = f"{platform.python_version()} ({sys.executable})"
    if SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        return ok("python", found)
    return broken("python", found, "make the environment with Python 3.10, 3.11 or 3.12")


def check_packages(config: Mapping[str, Any]) -> Finding:
    """Check that the packages needed by every configuration are installed."""
    missing = [package for module, package in REQUIRED.items() if not is_there(module)]
    if missing:
        return broken("packages", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return ok("packages", ", ".join(f"{name} {_version(name)}" for name in ("torch", "numpy", "gymnasium", "pyzmq")))


def check_mujoco(config: Mapping[str, Any]) -> Finding:
    """Check that MuJoCo, the simulator of the mock robot, is installed."""
    if is_there("mujoco"):
        return ok("mujoco", _version("mujoco"))
    if not is_simulated(config):
        return note("mujoco", "missing; only the mock robot needs it", "pip install mujoco")
    robot = find_robot(config["robot"]).type.name if is_mock(config) else "mock_ros"
    return broken("mujoco", f"missing, and robot={robot} needs it", "pip install mujoco")


def check_rendering(config: Mapping[str, Any]) -> Finding | None:
    """Check that the mock's cameras and films can be rendered without a display."""
    if not is_simulated(config) or sys.platform != "linux":
        return None
    chosen = os.environ.get("MUJOCO_GL", "")
    wanted = {chosen: RENDERERS[chosen]} if chosen in RENDERERS else RENDERERS
    there = [name for name, (library, _) in wanted.items() if find_library(library)]
    if there:
        return ok("rendering", f"{' and '.join(there)} without a display")
    mend = f"sudo apt-get install {' '.join(package for _, package in wanted.values())}"
    views = config["camera"].get("views")
    found = f"no library for {' or '.join(wanted)}"
    if views:
        return broken("rendering", f"{found}, and {', '.join(views)} must be drawn", mend)
    return note("rendering", f"{found}; there will be no film", mend)


def is_there(module: str) -> bool:
    """Return whether a module can be found, without importing it."""
    return importlib.util.find_spec(module) is not None


def is_mock(config: Mapping[str, Any]) -> bool:
    """Return whether the simulated arm runs in the control loop's own process."""
    if config["task"].get("kind") != "robot" or is_behind_ros(config["robot"]):
        return False
    try:
        return find_robot(config["robot"]).type.simulated
    except ConfigError:  # check_config reports it
        return False


def is_simulated(config: Mapping[str, Any]) -> bool:
    """Return whether an arm is simulated on this machine, in the process of the control loop or behind ROS."""
    return is_mock(config) or (config["task"].get("kind") == "robot" and "mock_node" in config["robot"])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(of unknown version)"


CHECKS = (check_steadyhand, check_python, check_packages, check_mujoco, check_rendering)
