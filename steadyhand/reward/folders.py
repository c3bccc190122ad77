"""The logs that a folder of examples stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steadyhand.log_facts import log_folders

__all__ = ["example_folders", "folders_and_overrides"]

OF_A_RUN = ("examples", "demos", "demos_failed", "log")  # folders of a run; an actor's outbox is a copy of its log


def example_folders(given: Sequence[Path]) -> list[Path]:
    """Return the logs and demo sets in the given folders, in order and without repetition.

    Of a run these are its examples, its demonstrations, its failed attempts and its practice logs. A folder without any
    is returned as it is, for the reader to refuse.
    """
    found: dict[Path, None] = {}
    for folder in given:
        is_run = any((folder / name).is_dir() for name in OF_A_RUN)
        places = [folder / name for name in OF_A_RUN] if is_run else [folder]
        logs = [log for place in places for log in log_folders(place)] or [folder]
        found |= dict.fromkeys(logs)
    return list(found)


def folders_and_overrides(words: Sequence[str], overrides: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Tell folders from overrides, which argparse takes for folders where they follow one; return both."""
    settings = [word for word in words if "=" in word and not Path(word).exists()]
    return [Path(word) for word in words if word not in settings], [*settings, *overrides]
