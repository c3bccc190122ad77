"""Each executable as a process: what it imports, how it ends, what it says when it cannot start, how images travel."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.qos import qos_profile_sensor_data
from ros_kit import PACKAGE, ROOT, Probe, Process, node_arguments, wait_until
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import String

from actor_ros import conversions, qos
from actor_ros.image_decoding import image_to_array

NODES = ("actor_ros.mock_robot_node", "actor_ros.watchdog_node")
HEAVY = ("torch", "mujoco", "gymnasium", "PIL", "matplotlib", "scipy")


@pytest.fixture
def start(dds, tmp_path):
    started = []

    def start(module: str, namespace: str = "/", name: str = "", **parameters: str) -> Process:
        process = Process(tmp_path, module, *node_arguments(namespace, **parameters), name=name)
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def probe_in(dds):
    made = []

    def probe_in(namespace: str = "/", name: str = "probe") -> Probe:
        made.append(Probe(name, namespace))
        return made[-1]

    yield probe_in
    for probe in made:
        probe.close()


def test_the_watchdog_is_a_small_process(tmp_path):
    paths = [str(PACKAGE), str(ROOT)]
    code = f"""
import sys
sys.path[:0] = {paths}
import actor_ros.watchdog_node
print([name for name in {HEAVY} if name in sys.modules])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("module", NODES)
def test_two_interrupts_end_it_with_0(start, probe_in, module):
    process = start(module, task="reach")
    probe = probe_in()
    topic = "current_pose" if "mock" in module else "watchdog/stop_reason"
    probe.listen(topic, PoseStamped if "mock" in module else String, "sensor" if "mock" in module else "latched")
    probe.last(topic)
    process.signal(signal.SIGINT)
    process.signal(signal.SIGINT)
    assert process.wait(10.0) == 0
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"robot": "no_such_arm"}, "no_such_arm"),
        ({"robot": "mock"}, "expected one behind ROS 2"),
        ({"robot": "crisp_fr3"}, "the package franka_msgs is not installed"),
        ({"watchdog.command_timeout_s": "0.05"}, "command_timeout_s: expected more than command_period_s"),
        ({"overrides": "[safety.no_such_limit=1]"}, "no_such_limit"),
        ({"config_dir": "/no/such/folder"}, "config_dir: expected a folder"),
    ],
)
def test_what_cannot_be_used_is_one_line(start, parameters, reason):
    process = start("actor_ros.watchdog_node", **parameters)
    assert process.wait(30.0) == 2
    lines = [line for line in process.output().splitlines() if line.startswith("steadyhand:")]
    assert len(lines) == 1
    assert reason in lines[0]
    assert "Traceback" not in process.output()


def test_two_robots_side_by_side_do_not_hear_each_other(start, probe_in):
    probes = {}
    for namespace in ("/arm0", "/arm1"):
        start("actor_ros.mock_robot_node", namespace, f"mock-{namespace[1:]}", task="reach")
        start("actor_ros.watchdog_node", namespace, f"watchdog-{namespace[1:]}")
        probes[namespace] = probe_in(namespace)
        probes[namespace].listen("current_pose", PoseStamped)
        probes[namespace].listen("watchdog/stop_reason", String, "latched")
        probes[namespace].listen("target_pose", PoseStamped)
    for probe in probes.values():
        wait_until(
            lambda probe=probe: probe.last("watchdog/stop_reason").data == "no_commands", "a watchdog that waits"
        )
    commands = probes["/arm0"].publisher("actor/command", PoseStamped)
    pose = conversions.pose_to_array(probes["/arm0"].last("current_pose").pose)
    pose[2] = 0.49
    commands.publish(conversions.pose_from_array(pose, "base", conversions.stamp_from_ns(0)))
    probes["/arm0"].last("target_pose")
    assert probes["/arm1"].heard["target_pose"] == []
    assert probes["/arm1"].last("watchdog/stop_reason").data == "no_commands"


def test_a_ros_clock_that_jumps_moves_nothing_and_stops_nothing(start, probe_in):
    start("actor_ros.mock_robot_node", task="reach")
    start("actor_ros.watchdog_node", use_sim_time="true")
    probe = probe_in()
    probe.listen("current_pose", PoseStamped)
    probe.listen("target_pose", PoseStamped)
    probe.listen("watchdog/stop_reason", String, "latched")
    wait_until(lambda: probe.last("watchdog/stop_reason").data == "no_commands", "a watchdog that waits")
    clock = probe.publisher("/clock", Clock, "event")
    commands = probe.publisher("actor/command", PoseStamped)
    for seconds in (1000, 4600, 1000):
        pose = conversions.pose_to_array(probe.last("current_pose").pose)
        pose[2] = 0.49

        def is_followed(seconds=seconds, pose=pose) -> bool:
            """Published again: both topics are best effort, and one message may be lost."""
            clock.publish(Clock(clock=conversions.stamp_from_ns(seconds * 10**9)))
            commands.publish(conversions.pose_from_array(pose, "base", conversions.stamp_from_ns(0)))
            time.sleep(0.05)  # no flood: the robot's state shares the machine
            heard = probe.heard["target_pose"]  # empty until a command has arrived, which may take several
            return bool(heard) and heard[-1][1].header.stamp.sec == seconds

        wait_until(is_followed, f"a target at {seconds} s")
    assert {m.data for _, m in probe.heard["watchdog/stop_reason"]} <= {"not_heard_yet", "no_commands", ""}


def test_images_reach_a_sensor_data_and_a_reliable_subscriber_and_cost_nothing_without_one(start, probe_in):
    start("actor_ros.mock_robot_node", task="reach", overrides="[camera=wrist_side]")
    probe = probe_in()
    heard = {"sensor_data": [], "reliable": []}
    qualities = {"sensor_data": qos_profile_sensor_data, "reliable": qos.profile("image")}
    for name, quality in qualities.items():
        probe.node.create_subscription(Image, "wrist/image_raw", heard[name].append, quality)
    for name, images in heard.items():
        wait_until(lambda images=images: len(images) >= 5, f"five images for a {name} subscriber")
        pixels = image_to_array(images[-1])
        assert pixels.shape == (128, 128, 3)
        assert len(np.unique(pixels)) > 10, "a picture, not one colour"
        assert images[-1].header.frame_id == "wrist"
    assert probe.node.count_publishers("side/image_raw") == 1
