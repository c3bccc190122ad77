"""The provenance of a run: source commit, package versions, machine and command."""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from steadyhand.runtime.clock import utc_text, wall_time_ns

__all__ = ["git_commit", "package_versions", "provenance"]

SOURCE = Path(__file__).resolve().parent.parent
GIT_LIMIT_S = 10.0


def provenance() -> dict[str, Any]:
    """Return what a manifest says about the machine and the software, ready for JSON."""
    return {
        "created": utc_text(wall_time_ns()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "command": sys.argv,
        "git_commit": git_commit(SOURCE),
        "packages": package_versions(),
    }


def git_commit(source: Path) -> str | None:
    """Return the commit checked out at `source`, with `-dirty` after it when files differ; None without git.

    An installed copy may lie inside an unrelated repository, so only a repository rooted at `source` counts.
    """
    git = shutil.which("git")
    if git is None or not (source / ".git").exists():
        return None
    command = [git, "-C", str(source), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_LIMIT_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def package_versions() -> dict[str, str]:
    """Return the version of every installed distribution, by name."""
    versions = {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]}
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))
