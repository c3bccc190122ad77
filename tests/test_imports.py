"""What each package may be imported without: every case is a process of its own."""

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Vendors' libraries that only some machines have. `sys.modules[name] = None` makes their import fail.
ROS = ("rclpy", "geometry_msgs", "sensor_msgs", "std_msgs", "actor_ros")
HARDWARE = (*ROS, "mujoco", "pyrealsense2", "cv2", "hid", "pygame")

IMPORT_ALL = """
import importlib, pkgutil, sys
packages, blocked, skipped, absent = (text.split(",") for text in sys.argv[1:5])
for name in filter(None, blocked):
    sys.modules[name] = None
for package in packages:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, package + ".", onerror=lambda name: None):
        if not any(module.name == skip or module.name.startswith(skip + ".") for skip in filter(None, skipped)):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
loaded = [name for name in filter(None, absent) if sys.modules.get(name) is not None]
assert not loaded, f"imported after all: {loaded}"
"""


def import_all(*packages: str, blocked: tuple[str, ...] = (), skipped: str = "", absent: tuple[str, ...] = ()) -> None:
    """Import every module of `packages` in a fresh process: without `blocked`, leaving `absent` unloaded."""
    arguments = [",".join(packages), ",".join(blocked), skipped, ",".join(absent)]
    command = [sys.executable, "-c", IMPORT_ALL, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["runtime", "policies", "transport", "actor", "learner", "calibration"])
def test_needs_no_hardware_library(package):
    import_all(f"steadyhand.{package}", blocked=HARDWARE)


def test_only_the_mock_robot_needs_mujoco():
    import_all("steadyhand.robot_envs", blocked=HARDWARE, skipped="steadyhand.robot_envs.mock")


def test_the_mock_robot_needs_no_ros():
    import_all("steadyhand.robot_envs", blocked=ROS)


def test_the_command_line_starts_without_hardware_libraries():
    import_all("steadyhand", blocked=HARDWARE, skipped="steadyhand.robot_envs.mock")


def test_the_wire_and_the_runtime_need_no_torch():
    import_all("steadyhand.runtime", "steadyhand.transport", blocked=("torch",))
    import_all("steadyhand.runtime", "steadyhand.transport", absent=("torch",))


def test_the_robot_side_of_an_env_needs_no_torch():
    import_all("steadyhand.robot_envs", blocked=("torch",))


def test_the_learner_needs_no_robot():
    others = ("steadyhand.robot_envs", "steadyhand.actor")
    import_all("steadyhand.learner", blocked=others, absent=(*others, "gymnasium"))


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="there are wheels of rclpy for Linux x86_64 alone"
)
def test_ros_is_here_so_that_its_tests_ran():
    assert importlib.util.find_spec("rclpy"), "expected rclpy, found none; `make test` installs it"


def test_a_blocked_import_is_noticed():
    with pytest.raises(AssertionError, match="msgspec"):
        import_all("steadyhand.transport", blocked=("msgspec",))
