"""Without rclpy the tests of the ROS package are left out, in one line; `tests/test_imports.py` sees to CI."""

import importlib.util
import os

import pytest

HAS_ROS = importlib.util.find_spec("rclpy") is not None
collect_ignore_glob = [] if HAS_ROS else ["test_*.py"]


def pytest_collection_modifyitems(items):
    """What talks over DDS runs in real time, in processes that watch each other."""
    for item in items:
        if "dds" in item.fixturenames:
            item.add_marker(pytest.mark.realtime)


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
