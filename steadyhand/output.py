"""Files that a command is told to write, checked before the work that fills them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["OutputError", "check_output"]


class OutputError(ValueError):
    """A file that cannot be written where it is wanted."""


def check_output(path: Path, option: str) -> None:
    """Refuse a path at which no file could be written.

    Args:
        path: Of the file, which may be there already.
        option: How the caller names it: `--json`.

    Raises:
        OutputError: It is a folder, its folder is not there, or one of the two may not be written.
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
