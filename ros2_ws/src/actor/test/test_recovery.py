"""Steps where the packages of the robot are not installed, and steps that fail."""

import pytest
from ros_kit import Probe
from std_srvs.srv import SetBool

from actor_ros.packages import MissingPackageError, load_type
from actor_ros.recovery import Steps
from robot_envs.profile_steps import Step
from robot_envs.robot import RobotError


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
