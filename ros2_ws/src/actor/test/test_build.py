"""The package as a user builds it, with colcon from the environment, and what its launch file then starts."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from launch_kit import evaluate
from ros_kit import PACKAGE, ROOT, Probe, wait_until
from std_srvs.srv import SetBool

from steadyhand.subprocesses import free_addresses

SCRIPTS = ("watchdog_node", "mock_robot_node", "actor_node")
END_S = 3.0
# Short, so that the learner trains when it is ended.
CELL = """
/**:
  ros__parameters:
    overrides:
      [demo.demos=1, demo.max_attempts=20, learner.start_transitions=20, learner.pretrain_updates=20]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Where colcon has installed the package."""
    folder = tmp_path_factory.mktemp("a workspace")
    install = folder / "install"
    folders = ["--build-base", str(folder / "build"), "--install-base", str(install)]
    command = [sys.executable, "-m", "colcon", "--log-base", str(folder / "log"), "build", *folders]
    source = shutil.copytree(PACKAGE, folder / "src/actor", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    command += ["--base-paths", str(source)]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    # With a manifest that it cannot read colcon only warns and leaves the marker out.
    marker = install / "actor/share/ament_index/resource_index/packages/actor"
    assert marker.exists(), done.stdout + done.stderr
    return install / "actor"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_colcon_builds_it_with_the_index_marker_and_a_shebang_that_asks_the_shell(built, tmp_path):
    assert (built / "share/actor/package.xml").exists()
    for name in SCRIPTS:
        script = built / "lib/actor" / name
        assert script.read_text().splitlines()[0] == "#!/usr/bin/env python3"
        assert os.access(script, os.X_OK)
    modules = list(built.rglob("site-packages/actor_ros/*.py"))
    assert {path.name for path in modules} == {path.name for path in (PACKAGE / "actor_ros").glob("*.py")}
    assert (modules[0].parent / "built_by.txt").read_text() == sys.executable
    assert not list(built.rglob("site-packages/actor/__init__.py")), "it would shadow the core package"

    # The installed node runs with the environment's Python and finds both ROS and the core packages.
    environment = {**os.environ, "HOME": str(tmp_path), "ROS_LOG_DIR": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = os.pathsep.join([str(modules[0].parent.parent), str(ROOT)])
    command = [str(built / "lib/actor/watchdog_node"), "--ros-args", "-p", "robot:=no_such_arm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment)
    assert done.returncode == 2, done.stderr
    assert "no_such_arm" in done.stderr


class Launched:
    """The processes that the launch file names, started as `ros2 launch` does, each with its log."""

    def __init__(self, folder: Path, built: Path, *given: str) -> None:
        modules = next(built.rglob("site-packages/actor_ros"))
        # A shell without the activated environment: PATH has the system's Python alone.
        shell = {"AMENT_PREFIX_PATH": str(built), "PATH": "/usr/bin:/bin"}
        found = evaluate(folder, built / "share/actor/launch/robot.launch.py", *given, actor_ros=modules, **shell)
        path = os.pathsep.join([str(modules.parent), str(ROOT)])
        environment = {**os.environ, **shell, "PYTHONPATH": path}
        environment.pop("VIRTUAL_ENV", None)
        self.processes: dict[str, subprocess.Popen] = {}
        self._logs = {each["name"]: folder / f"{each['name']}.log" for each in found["processes"]}
        for each in found["processes"]:
            with self._logs[each["name"]].open("wb") as log:
                self.processes[each["name"]] = subprocess.Popen(
                    each["command"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
                )

    def output(self, name: str) -> str:
        return self._logs[name].read_text(errors="replace")

    def interrupt(self) -> dict[str, float]:
        """Ctrl-C: the terminal signals all, and the launcher each of them once more. Returns when each has gone [s]."""
        began, gone = time.monotonic(), {}
        for _ in range(2):
            for process in self.processes.values():
                process.send_signal(signal.SIGINT)
        while len(gone) < len(self.processes) and time.monotonic() - began < 30.0:
            for name, process in self.processes.items():
                if name not in gone and process.poll() is not None:
                    gone[name] = time.monotonic() - began
            threading.Event().wait(0.01)
        return gone

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def busy_cores():
    """Every core at work for something else."""
    spinners = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        threading.Event().wait(1.0)
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_programs_run_from_a_shell_without_the_environment_and_ctrl_c_ends_them(built, dds, tmp_path):
    (tmp_path / "my cell.yaml").write_text(CELL, encoding="utf-8")
    address = free_addresses(1)[0]
    launched = Launched(tmp_path, built, f"learner_address:={address}", f"params_file:={tmp_path / 'my cell.yaml'}")
    probe = Probe("person")
    try:
        assert list(launched.processes) == ["mock_robot", "watchdog", "actor", "learner"]
        wait_until(lambda: "ready; motion needs actor/enable" in launched.output("actor"), "the actor", 100.0)

        def trains() -> bool:
            """The learner begins once there is a demonstration; a stop on a crowded machine is cleared meanwhile."""
            probe.call(SetBool, "actor/enable", SetBool.Request(data=True))
            threading.Event().wait(0.5)
            return "listening on" in launched.output("learner")

        wait_until(trains, f"the learner: {launched.output('actor')[-2000:]}", 120.0)
        with busy_cores():
            gone = launched.interrupt()
        sys.stdout.write(f"gone after [s]: {gone}\n")
        assert len(gone) == len(launched.processes)
        assert max(gone.values()) <= END_S, gone
        assert {name: process.returncode for name, process in launched.processes.items()} == dict.fromkeys(gone, 0)
        assert not [name for name in gone if "Traceback" in launched.output(name)]
    finally:
        probe.close()
        launched.kill()
