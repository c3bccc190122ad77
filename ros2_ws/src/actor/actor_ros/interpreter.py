"""The search for the Python interpreter that has steadyhand. Imports only the standard library.

`ros2` runs under the system's Python, while the product is usually installed in a virtual environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from actor_ros.executables import AUTO, ArgumentError

__all__ = ["BUILT_BY", "find_interpreter"]

BUILT_BY = Path(__file__).with_name(
    "built_by.txt"
)  # written by setup.py, when a virtual environment builds the package
LOOK = "import importlib.util, sys; sys.exit(importlib.util.find_spec('steadyhand') is None)"
LOOK_LIMIT_S = 30.0


def find_interpreter(given: str, environment: Mapping[str, str], built_by: Path = BUILT_BY) -> str:
    """Return the path of the first interpreter that has steadyhand.

    Args:
        given: The launch argument `python`.
        environment: Variables of the shell.
        built_by: File that names the interpreter of the build.

    Raises:
        ArgumentError: No interpreter has it.
    """
    candidates = {given: "the argument python"} if given != AUTO else dict(_candidates(environment, built_by))
    for path in candidates:
        if _has_product(path):
            return path
    looked = ", ".join(f"{path} ({why})" for path, why in candidates.items()) or "no interpreter at all"
    raise ArgumentError(
        f"python: expected a Python that has steadyhand, found {looked}; activate the virtual environment that has it, "
        "or give python:=/path/to/.venv/bin/python3"
    )


def _candidates(environment: Mapping[str, str], built_by: Path) -> Iterator[tuple[str, str]]:
    if folder := environment.get("VIRTUAL_ENV"):
        yield str(Path(folder) / "bin" / "python3"), "the activated environment"
    if built_by.is_file():
        yield built_by.read_text(encoding="utf-8").strip(), "built this package"
    if found := shutil.which("python3", path=environment.get("PATH", "")):
        yield found, "python3 on the PATH"


def _has_product(path: str) -> bool:
    """Return whether the interpreter finds the product when run in a folder without a copy of it."""
    try:
        done = subprocess.run(  # noqa: S603  the user's own interpreters
            [path, "-c", LOOK], cwd=os.sep, timeout=LOOK_LIMIT_S, check=False, stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
