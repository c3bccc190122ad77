"""A note of how much of an actor's log survives a power cut of the learner: a small file beside the log's segments."""

from __future__ import annotations

import json
from pathlib import Path

from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.segment import LogError

__all__ = ["note_acknowledged", "read_acknowledged", "unacknowledged"]

FILE = "acknowledged.json"

_log = get_logger("transport.acknowledged")


def note_acknowledged(folder: Path, durable_seq: int) -> None:
    """Write a note that the learner holds everything before `durable_seq`.

    Raises:
        OSError: The disk is full; the earlier note is unchanged.
    """
    atomic_write_json(folder / FILE, {"durable_seq": durable_seq})


def read_acknowledged(folder: Path) -> int:
    """Return the number before which the learner holds the log in `folder`; 0 without a note.

    A file that cannot be read counts as no note: records that are offered twice cost a moment, forgotten ones are lost.
    """
    try:
        return int(json.loads((folder / FILE).read_bytes())["durable_seq"])
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _log.warning("%s: expected a number of records, found %s; all are offered again", folder / FILE, error)
        return 0


def unacknowledged(folder: Path) -> tuple[int, int]:
    """Return how many records of the log in `folder` the learner is not known to hold, and their bytes.

    Raises:
        LogError: There is no log, or it is damaged.
    """
    reader = LogReader(folder)
    try:
        lo, _ = reader.locate(read_acknowledged(folder))
        count = len(reader) - lo
        return count, count * reader.dtype.itemsize
    except OSError as error:
        raise LogError(f"{folder}: cannot be read ({error})") from error
    finally:
        reader.close()
