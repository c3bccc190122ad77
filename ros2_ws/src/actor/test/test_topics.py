import subprocess
import sys
from collections import Counter

import diagnostic_msgs.msg
import geometry_msgs.msg
import pytest
import rcl_interfaces.srv
import sensor_msgs.msg
import std_msgs.msg
import std_srvs.srv
from rclpy.qos import QoSCompatibility, qos_check_compatible

from actor_ros import qos, topics
from actor_ros.topics import SERVICES, TOPICS

PACKAGES = (diagnostic_msgs.msg, geometry_msgs.msg, sensor_msgs.msg, std_msgs.msg, rcl_interfaces.srv, std_srvs.srv)
MODULES = {module.__name__: module for module in PACKAGES}


@pytest.mark.parametrize("entry", TOPICS, ids=lambda entry: f"{entry.name}:{entry.message}")
def test_every_message_exists_and_every_pair_of_qos_matches(entry):
    package, kind, name = entry.message.split("/")
    assert hasattr(MODULES[f"{package}.{kind}"], name)
    verdict, reason = qos_check_compatible(qos.profile(entry.offered), qos.profile(entry.requested))
    assert verdict == QoSCompatibility.OK, reason


@pytest.mark.parametrize("entry", SERVICES, ids=lambda entry: entry.name)
def test_every_service_type_exists(entry):
    package, kind, name = entry.type.split("/")
    assert hasattr(MODULES[f"{package}.{kind}"], name)
    assert entry.name.split("/")[0] == entry.server


def test_names_are_relative_and_no_row_stands_twice():
    assert {entry.name for entry in TOPICS if entry.name.startswith(("/", "~"))} == {"/diagnostics"}
    counts = Counter((entry.name, entry.message, entry.publisher) for entry in TOPICS)
    assert max(counts.values()) == 1


def test_only_the_watchdog_publishes_to_the_robot():
    publishers = {entry.publisher for entry in TOPICS if topics.ROBOT in entry.subscribers}
    assert publishers == {topics.WATCHDOG}


def test_images_are_published_reliably_and_read_as_sensor_data():
    images = [entry for entry in TOPICS if "image_raw" in entry.name]
    assert {(entry.offered, entry.requested) for entry in images} == {("image", "sensor")}


def test_a_topic_is_found_by_its_name():
    assert topics.topic("actor/command", "geometry_msgs/msg/TwistStamped").message.endswith("TwistStamped")
    with pytest.raises(KeyError, match="not in the contract"):
        topics.topic("actor/comand")


def test_the_table_needs_no_ros():
    code = "import sys; sys.modules['rclpy'] = None; import actor_ros.topics"
    command = [sys.executable, "-c", code]
    package = topics.__file__.rsplit("/actor_ros/", 1)[0]
    assert subprocess.run(command, cwd=package, capture_output=True, timeout=60).returncode == 0
