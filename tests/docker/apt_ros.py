"""A stand-in for ROS 2 from apt: `/opt/ros/jazzy` with a setup.bash, made from the wheels of the `ros` extra.

As from apt, rclpy and the messages come into a Python by PYTHONPATH and LD_LIBRARY_PATH, and only after setup.bash is
sourced; `ros2 launch` runs under a Python that has `launch` and not the product (stand-ins: launch_stand_ins/).
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = ROOT / "ros2_ws/src/actor/test/launch_stand_ins"
SYSTEM = ["numpy==1.26.4", "PyYAML==6.0.1", "setuptools==68.1.2"]  # as Ubuntu 24.04 has them
SETUP = """\
export ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
export AMENT_PREFIX_PATH={prefix}${{AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}}
export PYTHONPATH={python}${{PYTHONPATH:+:$PYTHONPATH}}
export LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
export PATH={prefix}/scripts:$PATH
"""


def make(prefix: Path, python: str) -> None:
    """Install the wheels into an environment at `prefix`, and lay out what a shell sources and finds."""
    subprocess.run([python, "-m", "venv", prefix], check=True)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wheels = re.findall(r'^    "(ros-[^"]+)"', project, re.MULTILINE)
    colcon = re.findall(r'^    "(colcon-[^"]+)"', project, re.MULTILINE)
    constraints = [word for name in ("cpu", "ros") for word in ("--constraint", ROOT / f"constraints/{name}.txt")]
    pip = [prefix / "bin/python", "-m", "pip", "install", "--quiet", *constraints]
    subprocess.run([*pip, *wheels, *colcon, "colcon-bash", "setuptools"], check=True)
    site = next(prefix.glob("lib/python3*/site-packages"))
    libraries = subprocess.run(
        [prefix / "bin/python", "-c", "import os; print(os.environ['LD_LIBRARY_PATH'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    # By PYTHONPATH only what apt puts below /opt/ros; NumPy, PyYAML and colcon are the system's.
    shown = prefix / "python"
    shown.mkdir()
    system = prefix / "system"
    system.mkdir()
    subprocess.run([*pip[:5], "--no-deps", "--target", system, *SYSTEM], check=True)
    left_out = ("pip", "ros-wheels", *(each.partition("=")[0].lower() for each in SYSTEM))
    found = [each for each in distributions(path=[str(site)]) if not each.metadata["Name"].lower().startswith(left_out)]
    for distribution in sorted(found, key=lambda each: not each.metadata["Name"].startswith("ros-")):
        target = shown if distribution.metadata["Name"].startswith("ros-") else system
        for top in {Path(str(file)).parts[0] for file in distribution.files or ()} - {"..", "bin", "__pycache__"}:
            if (site / top).exists() and not (shown / top).exists() and not (target / top).exists():
                (target / top).symlink_to(site / top)
    for stand_in in ("launch", "launch_ros"):
        (shown / stand_in).symlink_to(STAND_INS / stand_in)
    ros2 = prefix / "scripts/ros2"  # bin/ holds the environment's Python, which no shell is to find
    ros2.parent.mkdir()
    source = Path(__file__).with_name("ros2_stand_in.py").read_text(encoding="utf-8")
    ros2.write_text(f"#!{python}\nimport sys\n\nsys.path.append({str(system)!r})\n{source}", encoding="utf-8")
    ros2.chmod(0o755)
    setup = SETUP.format(prefix=prefix, python=shown, libraries=libraries)
    (prefix / "setup.bash").write_text(setup, encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
