"""A bag of real messages, read back without ROS."""

import signal

from geometry_msgs.msg import PoseStamped
from ros_kit import Probe, Process, node_arguments, wait_until
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import JointState

from actor_ros import conversions
from actor_ros.parameters import robot_config
from actor_ros.recorder_node import recorded
from runtime.config import compose

STAMP = conversions.stamp_from_ns(0)
RECORDER = "actor_ros.recorder_node"


def names(robot: str) -> dict[str, str]:
    profile = robot_config(compose(["task=reach", f"robot={robot}"])).profile
    return {name: topic.message for topic, name in recorded(profile)}


def test_what_is_recorded_follows_the_profile():
    mock, ur = names("mock_ros"), names("ur_servo")
    assert mock["actor/command"] == "geometry_msgs/msg/PoseStamped"
    assert ur["actor/command"] == "geometry_msgs/msg/TwistStamped"
    assert "tcp_pose_broadcaster/pose" in ur
    assert {"actor/episode", "actor/action", "watchdog/stop_reason", "/diagnostics"} <= mock.keys() & ur.keys()
    assert not [name for name in mock if name.startswith("mock_robot") or "image" in name]


def test_messages_are_in_the_bag_after_sigint(dds, tmp_path):
    folder = tmp_path / "bag"
    process = Process(tmp_path, RECORDER, *node_arguments("/arm0", task="reach", folder=str(folder)))
    probe = Probe(namespace="/arm0")
    try:
        pose = probe.publisher("actor/command", PoseStamped)
        joints = probe.publisher("joint_states", JointState, "state")
        for _ in range(5):
            pose.publish(PoseStamped())
            joints.publish(JointState(name=["a"], position=[0.5]))

        assert pose.wait_for_all_acked()
        wait_until(lambda: folder.exists(), "the bag")
        process.signal(signal.SIGINT)
        assert process.wait() == 0, process.output()
    finally:
        process.stop()
        probe.close()
    with Reader(folder) as bag:
        counts = {connection.topic: connection.msgcount for connection in bag.connections}
    assert list(folder.glob("*.mcap"))
    assert counts["/arm0/actor/command"] >= 1
    assert "/arm0/joint_states" in counts


def test_a_folder_that_is_there_is_refused_in_one_line(dds, tmp_path):
    process = Process(tmp_path, RECORDER, *node_arguments("/", task="reach", folder=str(tmp_path)))
    assert process.wait(60.0) == 2
    assert "does not exist yet" in process.output()
