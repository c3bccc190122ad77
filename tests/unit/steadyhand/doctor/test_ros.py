from pathlib import Path

import pytest
import yaml

from steadyhand.doctor import Level, ros
from tests.unit.steadyhand.doctor.kit import config

ROOT = Path(__file__).resolve().parents[4]
BEHIND_ROS = {"task": {"kind": "robot"}, "robot": {"kind": "ros"}}


@pytest.fixture
def without_rclpy(monkeypatch):
    monkeypatch.setattr(ros, "is_there", lambda module: False)


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package called rclpy, for this process and for those that it starts."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "rclpy.py"


@pytest.mark.usefixtures("without_rclpy")
def test_only_a_robot_behind_ros_needs_it():
    assert ros.check_rclpy(config()).level is Level.NOTE
    assert ros.check_rclpy(BEHIND_ROS).level is Level.BROKEN
    assert ros.check_rmw(config()) is None
    assert ros.check_domain(config()) is None
    assert ros.check_discovery(config()) is None


@pytest.mark.usefixtures("without_rclpy")
def test_it_is_installed_from_the_clone_as_no_package_is_published():
    assert "pip install '.[ros]'" in ros.check_rclpy(BEHIND_ROS).mend


def test_it_is_really_imported(package, monkeypatch):
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    package.write_text("")
    assert ros.check_rclpy(BEHIND_ROS).found == "imports (jazzy)"
    package.write_text("raise ImportError('librcl.so: cannot open shared object file')")
    finding = ros.check_rclpy(BEHIND_ROS)
    assert finding.level is Level.BROKEN
    assert "librcl.so" in finding.found


@pytest.mark.parametrize(
    ("value", "level"), [("", Level.OK), ("rmw_fastrtps_cpp", Level.OK), ("rmw_cyclonedds_cpp", Level.NOTE)]
)
def test_the_middleware(monkeypatch, package, value, level):
    package.write_text("def init(): pass\nshutdown = init\n")
    monkeypatch.setenv("RMW_IMPLEMENTATION", value)
    assert ros.check_rmw(BEHIND_ROS).level is level


def test_a_middleware_that_is_not_installed(monkeypatch, package):
    package.write_text("def init(): raise SystemExit('librmw_cyclonedds_cpp.so: no such file')\n")
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp")
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    finding = ros.check_rmw(BEHIND_ROS)
    assert finding.level is Level.BROKEN
    assert "librmw_cyclonedds_cpp.so" in finding.found
    assert "ros-jazzy-rmw-cyclonedds-cpp" in finding.mend


@pytest.mark.parametrize(("value", "level"), [("7", Level.OK), ("300", Level.BROKEN), ("seven", Level.BROKEN)])
def test_the_domain(monkeypatch, value, level):
    monkeypatch.setenv("ROS_DOMAIN_ID", value)
    assert ros.check_domain(BEHIND_ROS).level is level


@pytest.mark.parametrize(
    ("value", "level"),
    [("LOCALHOST", Level.OK), ("SUBNET", Level.NOTE), ("", Level.NOTE), ("EVERYWHERE", Level.NOTE)],
)
def test_how_far_it_looks(monkeypatch, value, level):
    monkeypatch.delenv("ROS_LOCALHOST_ONLY", raising=False)
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", value)
    assert ros.check_discovery(BEHIND_ROS).level is level


def without(monkeypatch, *modules):
    monkeypatch.setattr(ros, "is_there", lambda module: module not in modules)


@pytest.mark.parametrize(
    ("overrides", "missing", "mend"),
    [
        (["robot=crisp_fr3"], "franka_msgs", "build franka_ros2 and source it"),
        (["robot=crisp_fr3"], "controller_manager_msgs", "apt-get install ros-jazzy-controller-manager-msgs"),
        (
            ["robot=mock_ros", "+robot.profile.extra={type: moveit_msgs/srv/ServoCommandType}"],
            "moveit_msgs",
            "apt-get install ros-jazzy-moveit-msgs",
        ),
        (["robot=ur_servo"], "moveit_msgs", "apt-get install ros-jazzy-moveit-msgs"),
        (["robot=ur_fzi", "gripper=robotiq_2f85"], "control_msgs", "apt-get install ros-jazzy-control-msgs"),
        (["robot=crisp_fr3", "homing=crisp_fr3"], "control_msgs", "apt-get install ros-jazzy-control-msgs"),
        (["robot=xarm_servo"], "xarm_msgs", "build xarm_ros2 and source it"),
    ],
)
def test_message_packages_of_the_profile_are_named_with_the_way_to_get_them(monkeypatch, overrides, missing, mend):
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    without(monkeypatch)
    assert ros.check_messages(config(*overrides)).level is Level.OK
    without(monkeypatch, missing)
    finding = ros.check_messages(config(*overrides))
    assert finding.level is Level.BROKEN
    assert missing in finding.found
    assert mend in finding.mend
    assert ros.check_messages(config("robot=mock")) is None


def test_every_part_of_a_profile_that_needs_a_package_is_known():
    plain = {"bool", "trigger", "service", "parameter", "subscribed", "topic"}  # of ros-base, or told by a `type`
    for path in sorted([*ROOT.glob("configs/robot/*.yaml"), *ROOT.glob("configs/gripper/*.yaml")]):
        kinds = set(kinds_in(yaml.safe_load(path.read_text(encoding="utf-8")))) - {"ros", "mock"}
        assert kinds <= plain | set(ros.PACKAGES), f"{path.name}: add what it needs to steadyhand/doctor/ros.py"


def kinds_in(part):
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from kinds_in(value)
    if isinstance(part, dict) and "kind" in part:
        yield part["kind"]


def test_cameras_need_cv2(monkeypatch):
    without(monkeypatch, "cv2")
    finding = ros.check_cv2(config("robot=mock_ros"))
    assert finding.level is Level.BROKEN
    assert "opencv-python-headless" in finding.mend
    assert ros.check_cv2(config("robot=mock")) is None
    without(monkeypatch)
    assert ros.check_cv2(config("robot=mock_ros")).level is Level.OK


def test_a_real_arm_needs_limits_of_its_own():
    assert ros.check_limits(config("robot=mock_ros")) is None
    finding = ros.check_limits(config("robot=crisp_fr3"))
    assert finding.level is Level.BROKEN
    assert "safety/my_cell.yaml" in finding.mend
    assert ros.check_limits(config("robot=crisp_fr3", "safety.max_force_n=12")).level is Level.OK


def test_a_workspace_must_be_sourced(monkeypatch, tmp_path):
    monkeypatch.setenv("AMENT_PREFIX_PATH", "")
    assert "no workspace is sourced" in ros.check_workspace(BEHIND_ROS).found
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{tmp_path}/gone")
    assert f"not there: {tmp_path}/gone" in ros.check_workspace(BEHIND_ROS).found
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert "the package actor is in none" in ros.check_workspace(BEHIND_ROS).found
    index = tmp_path / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    (index / "actor").touch()
    assert ros.check_workspace(BEHIND_ROS).level is Level.OK
    assert ros.check_workspace(config("robot=mock")) is None
