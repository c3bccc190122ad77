"""The package as a user builds it, with colcon from the environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ros_kit import PACKAGE, ROOT

SCRIPTS = ("watchdog_node", "mock_robot_node", "actor_node")


@pytest.mark.slow
def test_colcon_builds_it_with_the_index_marker_and_a_shebang_that_asks_the_shell(tmp_path):
    install = tmp_path / "install"
    folders = ["--build-base", str(tmp_path / "build"), "--install-base", str(install)]
    command = [sys.executable, "-m", "colcon", "--log-base", str(tmp_path / "log"), "build", *folders]
    source = shutil.copytree(
        PACKAGE, tmp_path / "src/actor", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    command += ["--base-paths", str(source)]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    prefix = install / "actor"
    # With a manifest that it cannot read colcon only warns and leaves the marker out.
    assert (prefix / "share/ament_index/resource_index/packages/actor").exists(), done.stdout + done.stderr
    assert (prefix / "share/actor/package.xml").exists()
    for name in SCRIPTS:
        script = prefix / "lib/actor" / name
        assert script.read_text().splitlines()[0] == "#!/usr/bin/env python3"
        assert os.access(script, os.X_OK)
    modules = list(prefix.rglob("site-packages/actor_ros/*.py"))
    assert {path.name for path in modules} == {path.name for path in (PACKAGE / "actor_ros").glob("*.py")}
    assert not list(prefix.rglob("site-packages/actor/__init__.py")), "it would shadow the core package"

    # The installed node runs with the environment's Python and finds both ROS and the core packages.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = os.pathsep.join([str(modules[0].parent.parent), str(ROOT)])
    environment["ROS_LOG_DIR"] = str(tmp_path)
    command = [str(prefix / "lib/actor/watchdog_node"), "--ros-args", "-p", "robot:=no_such_arm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment)
    assert done.returncode == 2, done.stderr
    assert "no_such_arm" in done.stderr
