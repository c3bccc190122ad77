"""The note in a run's folder about the earlier run that it started from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import atomic_write_json

__all__ = ["NOTE", "read_earlier", "write_earlier"]

NOTE = "earlier.json"
KEYS = ("run", "folder", "run_id", "take", "step", "account")

logger = get_logger("earlier")


def write_earlier(run: Path, facts: Mapping[str, Any]) -> None:
    """Write where a run came from, once: a later start of the run changes nothing.

    Args:
        run: Folder of the run.
        facts: Name, folder and id of the earlier run, the parts taken, the step of the weights, and the account; {}
            writes nothing.
    """
    if facts and not (run / NOTE).exists():
        atomic_write_json(run / NOTE, dict(facts))


def read_earlier(run: Path) -> dict[str, Any]:
    """Return where a run came from; {} for a run from nothing, and for a note that cannot be read, which is logged."""
    path = run / NOTE
    if not path.exists():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return {key: facts[key] for key in KEYS}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        logger.warning("%s: expected where the run came from, found %s; it is left out", path, type(error).__name__)
        return {}
