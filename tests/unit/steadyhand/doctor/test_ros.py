import pytest

from steadyhand.doctor import Level, ros
from tests.unit.steadyhand.doctor.kit import config

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
def test_the_middleware(monkeypatch, value, level):
    monkeypatch.setenv("RMW_IMPLEMENTATION", value)
    assert ros.check_rmw(BEHIND_ROS).level is level


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
