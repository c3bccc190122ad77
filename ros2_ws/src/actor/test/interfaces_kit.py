"""Interface packages that have no wheel, built from `interfaces/` by `tools/bootstrap_interfaces.sh`.

`python interfaces_kit.py` prints the folder in which the environment of that Python keeps them. The definitions state
the fields of the public ones: control_msgs 5.8.0, controller_manager_msgs 4.46.0 (ros2_control), franka_msgs 3.4.0
(franka_ros2) and xarm_msgs 0.0.0 (xarm_ros2), each at its branch `jazzy`, and moveit_msgs 2.6.0 at `ros2`. A robot PC
has the real packages.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
DEFINITIONS = HERE / "interfaces"
PACKAGES = tuple(sorted(path.parent.name for path in DEFINITIONS.glob("*/package.xml")))
RECIPE = [
    ROOT / path for path in ("constraints/ros.txt", "constraints/interfaces.txt", "tools/bootstrap_interfaces.sh")
]


def digest() -> str:
    """A digest of everything that the built packages depend on."""
    found = hashlib.sha256(sys.version.encode())
    for path in [*RECIPE, *sorted(path for path in DEFINITIONS.rglob("*") if path.is_file())]:
        found.update(b"\0" + path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def folder() -> Path:
    """The install space for this environment, which may not be built."""
    return Path(sys.prefix) / "interfaces" / digest()


def reason_to_skip() -> str:
    """The reason why the packages cannot be used here, or "" if they can."""
    if folder().is_dir():
        return ""
    return (
        f"needs the interface packages {', '.join(PACKAGES)}, which are not built in this environment; "
        f"`make test` builds them on Linux on x86_64 (tools/bootstrap_interfaces.sh)"
    )


def _prepended(name: str, *parts: Path) -> str:
    return os.pathsep.join([*map(str, parts), *filter(None, [os.environ.get(name)])])


def site_packages() -> Path:
    return folder() / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def environment() -> dict[str, str]:
    """The variables with which a Python process of this environment finds the packages."""
    return {
        "AMENT_PREFIX_PATH": _prepended("AMENT_PREFIX_PATH", folder(), Path(sys.prefix)),
        "LD_LIBRARY_PATH": _prepended("LD_LIBRARY_PATH", folder() / "lib"),
        "PYTHONPATH": _prepended("PYTHONPATH", site_packages()),
    }


def use_here() -> None:
    """Let this process, which has started already, import the packages and speak their types.

    The loader reads LD_LIBRARY_PATH at the start of a process alone, and rmw opens the libraries of a type by their
    bare names: those that are loaded already are found.
    """
    for library in sorted((folder() / "lib").glob("*.so")):
        ctypes.CDLL(str(library))
    sys.path.insert(0, str(site_packages()))
    importlib.invalidate_caches()


if __name__ == "__main__":
    sys.stdout.write(f"{folder()}\n")
