"""Without rclpy the tests of the ROS package are left out, in one line; `tests/test_imports.py` sees to CI."""

import importlib.util
import os
import sys

import pytest

HAS_ROS = importlib.util.find_spec("rclpy") is not None
collect_ignore_glob = [] if HAS_ROS else ["test_*.py"]


def pytest_itemcollected(item):
    """Mark a test over DDS as one in real time, whose processes watch each other: no other of them runs beside it."""
    if "dds" in item.fixturenames:
        item.add_marker(pytest.mark.realtime)
        item.add_marker(pytest.mark.xdist_group("dds"))


def pytest_terminal_summary(terminalreporter):
    if not HAS_ROS:
        terminalreporter.write_line("ROS 2: tests left out, rclpy cannot be imported; `make test` installs it")


@pytest.fixture(scope="session")
def dds(tmp_path_factory):
    """A DDS domain of this run's own, on this machine alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_LOG_DIR", str(tmp_path_factory.mktemp("ros_log")))
        patch.delenv("ROS_STATIC_PEERS", raising=False)
        yield


@pytest.fixture(scope="module")
def interfaces():
    """control_msgs, controller_manager_msgs, franka_msgs and moveit_msgs, here and in the processes started here."""
    import interfaces_kit

    if reason := interfaces_kit.reason_to_skip():
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in interfaces_kit.environment().items():
            patch.setenv(name, value)
        patch.setattr(sys, "path", list(sys.path))
        interfaces_kit.use_here()
        yield interfaces_kit
    # A test without the fixture finds no such package, whichever test ran before it.
    for name in [name for name in sys.modules if name.partition(".")[0] in interfaces_kit.PACKAGES]:
        del sys.modules[name]
