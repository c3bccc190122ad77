import numpy as np
import pytest
from geometry_msgs.msg import Pose
from sensor_msgs.msg import JointState

from actor_ros import conversions
from actor_ros.conversions import MessageError
from steadyhand.robot_envs.frames import quat_from_rotvec, quat_rotate
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.profile import WrenchConvention
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

STAMP = conversions.stamp_from_ns(1_500_000_007)
POSE = np.array([0.5, -0.1, 0.2, 1.0, 0.0, 0.0, 0.0])


def test_stamps_keep_their_nanoseconds():
    assert (STAMP.sec, STAMP.nanosec) == (1, 500_000_007)
    assert conversions.stamp_to_ns(STAMP) == 1_500_000_007


def test_a_pose_comes_back_with_its_frame():
    message = conversions.pose_from_array(POSE, "base", STAMP)
    assert message.header.frame_id == "base"
    assert message.pose.orientation.x == 1.0
    assert conversions.pose_to_array(message.pose) == pytest.approx(POSE)


def test_a_quaternion_is_made_unit_and_one_of_another_length_is_refused():
    message = Pose()
    message.orientation.w = 1.01
    assert conversions.pose_to_array(message)[3:] == pytest.approx([0, 0, 0, 1], abs=1e-12)
    for length in (0.0, 0.6, 2.0):
        message.orientation.w = length
        with pytest.raises(MessageError, match=f"unit quaternion, found length {length:g}"):
            conversions.pose_to_array(message)


@pytest.mark.parametrize("index", range(7))
def test_what_is_not_finite_stays_so_for_others_to_see(index):
    pose = POSE.copy()
    pose[index] = np.nan
    assert not np.isfinite(conversions.pose_to_array(conversions.pose_from_array(pose, "base", STAMP).pose)).all()


def test_a_twist_comes_back_linear_first():
    twist = np.arange(1.0, 7.0)
    message = conversions.twist_from_array(twist, "base", STAMP)
    assert (message.twist.linear.x, message.twist.angular.z) == (1.0, 6.0)
    assert conversions.twist_to_array(message) == pytest.approx(twist)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("frame", ["tool", "base"])
def test_every_wrench_convention_gives_ours(sign, frame):
    tool = quat_from_rotvec(np.array([np.pi / 2, 0.0, 0.0]))
    ours = np.array([1.0, 2.0, 3.0, 0.1, 0.2, 0.3])
    convention = WrenchConvention(sign, frame)
    message = conversions.wrench_from_array(ours, convention, tool, "any", STAMP)
    shown = quat_rotate(tool, ours[:3]) if frame == "base" else ours[:3]
    force = message.wrench.force
    assert [force.x, force.y, force.z] == pytest.approx(sign * shown)
    assert conversions.wrench_to_array(message, convention, tool) == pytest.approx(ours)


def test_a_tool_that_points_down_feels_the_table_push_it_back():
    # The table pushes up: +z in the base frame, -z in the frame of a tool that points down. Franka says the opposite.
    message = conversions.wrench_from_array(np.zeros(6), WrenchConvention(1, "base"), POSE[3:], "base", STAMP)
    message.wrench.force.z = -10.0
    wrench = conversions.wrench_to_array(message, WrenchConvention(-1, "base"), POSE[3:])
    assert wrench == pytest.approx([0, 0, -10, 0, 0, 0])


def joint_state(names, position, velocity=()):
    return JointState(name=list(names), position=list(position), velocity=list(velocity))


def test_joints_are_matched_by_name():
    message = joint_state(["finger", "b", "a"], [9.0, 2.0, 1.0], [0.9, 0.2, 0.1])
    position, velocity = conversions.joints_to_arrays(message, ["a", "b"])
    assert position == pytest.approx([1.0, 2.0])
    assert velocity == pytest.approx([0.1, 0.2])


def test_velocities_may_be_left_out():
    position, velocity = conversions.joints_to_arrays(joint_state(["a"], [1.0]), ["a"])
    assert (position, velocity) == (pytest.approx([1.0]), None)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (joint_state(["a"], [1.0]), "expected b, found a"),
        (joint_state([], []), "found no joints"),
        (joint_state(["a", "b"], [1.0]), "expected 2 positions"),
        (joint_state(["a", "b"], [1.0, 2.0], [0.0]), "found 2 and 1"),
    ],
)
def test_a_joint_state_that_cannot_be_used_is_one_line(message, reason):
    with pytest.raises(MessageError, match=reason):
        conversions.joints_to_arrays(message, ["a", "b"])


def test_joints_come_back():
    message = conversions.joints_from_arrays(["a", "b"], np.array([1.0, 2.0]), None, STAMP)
    assert list(message.velocity) == []
    assert conversions.joints_to_arrays(message, ["b", "a"])[0] == pytest.approx([2.0, 1.0])


@pytest.mark.parametrize(
    ("gripper", "position", "opening"),
    [("mock_hand", 0.03, 0.06), ("franka_hand", 0.04, 0.08), ("crisp_hand", 0.5, 0.04), ("robotiq_2f85", 0.2, 0.06375)],
)
def test_the_width_of_a_gripper_between_its_two_points(gripper, position, opening):
    profile = build(GripperProfile, compose([f"gripper={gripper}"])["gripper"], "gripper")
    message = joint_state(["x", profile.joint], [0.0, position])
    assert conversions.gripper_width(message, profile) == pytest.approx(opening)


def test_named_poses_come_back():
    poses = {"hole": POSE, "cube": np.array([0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])}
    message = conversions.poses_from_arrays(poses, "base", STAMP)
    found = conversions.poses_to_arrays(message)
    assert found.keys() == poses.keys()
    assert all(found[name] == pytest.approx(poses[name]) for name in poses)
    message.joint_names.append("ghost")
    with pytest.raises(MessageError, match="each of 3 names, found 2"):
        conversions.poses_to_arrays(message)
