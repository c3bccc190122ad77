"""The interface packages of the tests: the real types, over DDS, in this process and in others."""

import importlib
import os
import subprocess
import sys
import threading

import pytest
from interfaces_kit import DEFINITIONS, PACKAGES, ROOT, reason_to_skip
from ros_kit import Probe, wait_until

TYPES = [
    (path.parent.parent.name, path.parent.name, path.stem)
    for path in sorted(DEFINITIONS.rglob("*"))
    if path.suffix in (".msg", ".srv", ".action")
]
SPEAK = """
import sys
import rclpy
from rclpy.action import ActionServer
from control_msgs.action import GripperCommand

def execute(goal):
    goal.publish_feedback(GripperCommand.Feedback(position=goal.request.command.position))
    goal.succeed()
    return GripperCommand.Result(position=goal.request.command.position, reached_goal=True)

rclpy.init()
node = rclpy.create_node("server")
ActionServer(node, GripperCommand, "gripper_cmd", execute)
rclpy.spin(node)
"""


def test_where_they_are_not_built_the_reason_names_what_builds_them(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    reason = reason_to_skip()
    assert "make test" in reason
    assert all(package in reason for package in PACKAGES)


def test_without_the_fixture_no_such_package_is_found():
    for package in PACKAGES:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(package)


@pytest.mark.parametrize(("package", "folder", "name"), TYPES)
def test_every_type_has_its_type_support(interfaces, package, folder, name):
    found = getattr(importlib.import_module(f"{package}.{folder}"), name)
    type(found).__import_type_support__()
    assert found._TYPE_SUPPORT is not None


def test_an_action_of_another_process_answers_this_one(interfaces, dds):
    from control_msgs.action import GripperCommand
    from rclpy.action import ActionClient

    environment = {**os.environ, "PYTHONPATH": os.environ["PYTHONPATH"]}
    server = subprocess.Popen([sys.executable, "-c", SPEAK], cwd=ROOT, env=environment)
    probe = Probe()
    client = ActionClient(probe.node, GripperCommand, "gripper_cmd")
    heard = []
    try:
        assert client.wait_for_server(timeout_sec=40.0)
        goal = GripperCommand.Goal()
        goal.command.position = 0.25

        def is_accepted() -> bool:
            """Sent again: a server that has not met this client's reader yet drops its answer (rmw_response.cpp)."""
            nonlocal accepted
            accepted = client.send_goal_async(goal, feedback_callback=lambda m: heard.append(m.feedback.position))
            come = threading.Event()
            accepted.add_done_callback(lambda _: come.set())
            return come.wait(5.0)

        accepted = None
        wait_until(is_accepted, "an answer to the goal")
        result = accepted.result().get_result_async()
        wait_until(result.done, "a result")
        assert result.result().result.position == 0.25
        assert result.result().result.reached_goal
        wait_until(lambda: 0.25 in heard, "feedback")
    finally:
        client.destroy()
        probe.close()
        server.kill()
        server.wait(10.0)


def test_a_fresh_process_without_the_variables_of_this_one_speaks_them_too(interfaces):
    """ROS' wheels set up the libraries' paths in a process that starts without their guard variable."""
    environment = {
        k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
    }
    environment |= {"LD_LIBRARY_PATH": str(interfaces.folder() / "lib"), "PYTHONPATH": str(interfaces.site_packages())}
    code = "from franka_msgs.msg import FrankaRobotState as S; type(S).__import_type_support__(); print(S().robot_mode)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n", done.stderr
