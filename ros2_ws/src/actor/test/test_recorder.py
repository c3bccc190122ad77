"""A bag of real messages, read back without ROS."""

import json
import signal

from geometry_msgs.msg import PoseStamped
from ros_kit import PACKAGE, Probe, Process, node_arguments, wait_until
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import JointState

from actor_ros import conversions
from actor_ros.parameters import robot_config
from actor_ros.recorder_node import recorded
from steadyhand.runtime.config import compose

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

        def is_recording() -> bool:
            joints.publish(JointState(name=["a"], position=[0.5]))
            pose.publish(PoseStamped())
            return "recording" in process.output()

        wait_until(is_recording, "the first message in the bag")
        process.signal(signal.SIGINT)
        assert process.wait(30.0) == 0, process.output()
    finally:
        process.stop()
        probe.close()
    with Reader(folder) as bag:
        counts = {connection.topic: connection.msgcount for connection in bag.connections}
    assert list(folder.glob("*.mcap"))
    assert counts["/arm0/actor/command"] + counts["/arm0/joint_states"] >= 1


def test_a_folder_that_is_there_is_refused_in_one_line(dds, tmp_path):
    process = Process(tmp_path, RECORDER, *node_arguments("/", task="reach", folder=str(tmp_path)))
    assert process.wait(60.0) == 2
    assert "does not exist yet" in process.output()


def test_the_layout_shows_topics_that_are_recorded():
    layout = json.loads((PACKAGE / "config" / "foxglove_layout.json").read_text(encoding="utf-8"))
    panels = layout["configById"]
    shown = [path["value"] for panel in panels.values() for path in panel.get("paths", ())]
    shown += [panel[key] for panel in panels.values() for key in ("topicPath", "topicToRender") if key in panel]
    assert len(shown) > 10
    known = {name.lstrip("/") for name in names("mock_ros")}
    assert {path.lstrip("/").partition(".")[0] for path in shown} <= known

    def leaves(node) -> list[str]:
        return [node] if isinstance(node, str) else leaves(node["first"]) + leaves(node["second"])

    assert sorted(leaves(layout["layout"])) == sorted(panels)
