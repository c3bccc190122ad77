"""What the tests of the launch file share: a Python without the product that evaluates it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ros_kit import PACKAGE

BARE = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
HERE = Path(__file__).resolve().parent


def evaluate(folder: Path, launch_file: Path, *given: str, actor_ros: Path, **environment: str) -> dict[str, Any]:
    """What `ros2 launch` would start for these arguments.

    Raises:
        AssertionError: It failed; the text is what the interpreter said.
    """
    # As apt lays it out: PyYAML and this package beside `launch`, and nothing else of the product.
    installed = folder / "seen_by_ros2"
    if not installed.exists():
        installed.mkdir()
        (installed / "yaml").symlink_to(Path(yaml.__file__).parent)
        (installed / "actor_ros").symlink_to(actor_ros)
    stand_ins = os.pathsep.join([str(HERE / "launch_stand_ins"), str(installed)])
    # TMPDIR: launch_ros leaves its parameter files behind.
    done = subprocess.run(
        [BARE, "-I", "-S", "-B", str(HERE / "evaluate_launch.py"), str(launch_file), *given],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={"STAND_INS": stand_ins, "TMPDIR": str(folder), **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def installed_copy(folder: Path) -> dict[str, Path]:
    """The launch file, the modules and the executables where `colcon build` puts them, the latter as empty scripts."""
    share, modules, programs = folder / "share/actor/launch", folder / "lib/python/actor_ros", folder / "lib/actor"
    for place in (share, programs):
        place.mkdir(parents=True)
    shutil.copytree(PACKAGE / "actor_ros", modules, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "launch/robot.launch.py", share)
    for name in ("actor_node", "watchdog_node", "mock_robot_node", "recorder_node"):
        (programs / name).touch(0o755)
    return {"launch_file": share / "robot.launch.py", "actor_ros": modules}
