"""Steps where the packages of the robot are not installed, and steps that fail."""

import threading
from types import SimpleNamespace

import pytest
from ros_kit import Probe
from std_srvs.srv import SetBool

from actor_ros import preconditions
from actor_ros.packages import MissingPackageError, load_type
from actor_ros.preconditions import Preconditions
from actor_ros.recovery import Steps
from steadyhand.robot_envs.profile_steps import Step
from steadyhand.robot_envs.robot import RobotError


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("controller_manager_msgs/srv/ListControllers", "sudo apt-get install ros-kilted-controller-manager-msgs"),
        ("moveit_msgs/srv/ServoCommandType", "sudo apt-get install ros-kilted-moveit-msgs"),
        ("franka_msgs/action/ErrorRecovery", "build and source franka_ros2"),
        ("xarm_msgs/srv/Call", "build and source xarm_ros2"),
    ],
)
def test_a_package_that_is_not_installed(monkeypatch, name, how):
    monkeypatch.setenv("ROS_DISTRO", "kilted")
    with pytest.raises(MissingPackageError) as error:
        load_type(name)
    assert str(error.value) == f"{name}: the package {name.split('/')[0]} is not installed; {how}"


def test_without_the_controller_managers_types_a_step_names_the_package(dds, tmp_path):

    probe = Probe()
    try:
        probe.node.create_service(SetBool, "pause", lambda _, response: response)
        with pytest.raises(RobotError, match=r"step 1 of 1 \(a\) failed: .*apt-get install ros-.*-controller-manager-"):
            Steps(probe.node, 5.0, lambda: None).activate((Step("switch_controller", "a"),))
        refused = Step("service", "pause", "std_srvs/srv/SetBool", {"data": True}, {"success": True})
        with pytest.raises(RobotError, match=r"\(pause\) failed: expected {'success': True}, found {'success': False}"):
            Steps(probe.node, 5.0, lambda: None).recover((refused,))
        wrong = Step("service", "pause", "std_srvs/srv/SetBool", {"paused": True}, {"success": True})
        with pytest.raises(RobotError, match="std_srvs/srv/SetBool has no such request"):
            Steps(probe.node, 5.0, lambda: None).recover((wrong,))
    finally:
        probe.close()


@pytest.mark.parametrize("homes", [True, False])
def test_a_controller_that_homing_switched_off_is_no_fault(monkeypatch, homes):
    """Homing begins while the controller manager is asked: its answer is of a controller that is off on purpose."""
    asked, answer, homing = threading.Event(), threading.Event(), threading.Event()

    def list_controllers(node, timeout_s):
        asked.set()
        answer.wait(10.0)
        return {"cartesian": SimpleNamespace(state="inactive")}

    monkeypatch.setattr(preconditions, "list_controllers", list_controllers)
    profile = SimpleNamespace(checks=(), activate=(Step("switch_controller", "cartesian"),))
    found = Preconditions(None, profile, lambda: not homing.is_set())
    found.start()
    assert asked.wait(10.0)
    if homes:
        homing.set()
    answer.set()
    found.close()
    line = "controller cartesian: expected it to be active, found inactive; enable again, which activates it"
    assert found.denial == ("" if homes else line)
