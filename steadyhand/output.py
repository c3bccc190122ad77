"""The check of a command's output files before its work begins."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["OutputError", "check_output"]


class OutputError(ValueError):
    """A file that cannot be written at the given path."""


def check_output(path: Path, option: str) -> None:
    """Refuse a path at which no file can be written.

    Args:
        path: Path of the file, which may exist already.
        option: The option that gave the path, such as `--json`.

    Raises:
        OutputError: The path is a folder, its folder does not exist, or one of the two is not writable.
    """
    folder = path.parent
    found = ""
    if path.is_dir():
        found = "a folder of that name"
    elif not folder.is_dir():
        found = f"{'a file' if folder.exists() else 'no folder'} at {folder}"
    elif not os.access(folder, os.W_OK | os.X_OK):
        found = f"no permission to write in {folder}"
    if found:
        raise OutputError(f"{option} {path}: expected a file that can be written, found {found}; choose another path")
