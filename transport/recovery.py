"""Recovery of a log that its writer left open, in a crash or a power cut, or that has lost files since."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import sync_folder
from steadyhand.transport import log_folder
from steadyhand.transport import segment as seg
from steadyhand.transport.segment import Segment
from steadyhand.transport.segment_header import copy_is_sound, encode_facts, encode_header

__all__ = ["Recovered", "number_text", "recover"]

SHOWN = 8  # ranges in one log line

_log = get_logger("transport.recovery")


@dataclass
class Recovered:
    """A log in which every segment is sealed.

    Attributes:
        segments: First number, number after the last record, and file of each segment.
        damaged: Numbers of records that are known to be damaged or missing, in order.
    """

    segments: list[tuple[int, int, Path]] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)


def recover(
    folder: Path, check: Callable[[Segment], None] = lambda segment: None, fill_from: int | None = None
) -> Recovered:
    """Seal the open segments of a log and renew damaged headers.

    A segment ends with its last sound record. Damaged records before that are kept in place, so that no sound record
    behind them is lost. Only the process that owns the log may call this.

    Args:
        folder: Folder of the log.
        check: Raises an error for a segment of another log. It is called for every segment before one is changed.
        fill_from: Number from which on to put empty records in the place of missing ones; None = nowhere. The learner
            does so from 0: they keep their rows, and the actor is asked for them.

    Raises:
        LogError: A segment cannot be read.
        OSError: The disk is full.
    """
    segments = log_folder.open_segments(folder, writable=True, set_aside=fill_from is not None)
    found, before = Recovered(), fill_from
    is_open = not all(segment.known()[1] for segment in segments)
    try:
        for segment in segments:
            check(segment)
        for segment in list(segments):
            if before is not None and segment.header.version > 1 and before < segment.header.follows:
                _fill(folder, segment, before, found)
            segments.pop(0)
            end = segment.first_seq + _sealed(_with_header(segment), found, fill_from is not None)
            found.segments.append((segment.first_seq, end, segment.path))
            before = None if fill_from is None else end
    finally:
        for segment in segments:
            os.close(segment.fd)
    if is_open or found.damaged:
        sync_folder(folder)  # the last writer may not have come to it
    if found.damaged:
        _log.error("%s: records seq %s are damaged or missing; all others are kept", folder, number_text(found.damaged))
    return found


def number_text(numbers: Iterable[int]) -> str:
    """Return sorted numbers as ranges, such as `3, 7 to 12`, of which a log line shows the first few."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:SHOWN]]
    return ", ".join(shown) + (f" and {len(ranges) - SHOWN} more ranges" if len(ranges) > SHOWN else "")


def _fill(folder: Path, like: Segment, first_seq: int, found: Recovered) -> None:
    """Write a sealed segment of empty records from `first_seq` to where the segment `like` follows."""
    end = like.header.follows
    identity = (like.schema, like.actor_id, like.session_id)
    temporary, segment = seg.create(folder, *identity, first_seq, 0, records=end - first_seq)
    seg.finish(segment, end - first_seq)
    temporary.replace(segment.path)
    found.segments.append((first_seq, end, segment.path))
    found.damaged += range(first_seq, end)


def _with_header(segment: Segment) -> Segment:
    """Write both headers again if one is damaged, with the mark as far as it is known."""
    header = segment.header
    if header.version == 1 or (not header.is_copy and copy_is_sound(segment.fd, header)):
        return segment
    count, is_sealed = segment.known()
    header, raw = encode_facts(header)
    seg.pwrite_all(segment.fd, (encode_header(header, raw, count, is_sealed),), 0)
    _log.warning("%s: a damaged header was written again", segment.path)
    return replace(segment, header=header)


def _sealed(segment: Segment, found: Recovered, fill: bool) -> int:
    """Seal a segment and close its file; return the number of its records."""
    count, is_sealed = segment.known()
    first_seq, room = segment.first_seq, segment.room()
    if fill and room < count:
        found.damaged += range(first_seq + room, first_seq + count)
        os.ftruncate(segment.fd, segment.offset(count))
        room = count
    count = min(count, room)
    if is_sealed:
        os.close(segment.fd)
        return count
    end = segment.end_of_records(count)
    found.damaged += [first_seq + index for index in segment.scan(count, end)[1]]
    if end < room and any(os.pread(segment.fd, segment.record_bytes, segment.offset(end))):
        _log.warning("%s: left out a last record that is not complete, seq %d", segment.path, first_seq + end)
    try:
        seg.write_again(segment, end, sound=False)  # a sync of the last writer may have failed
    except BaseException:
        os.close(segment.fd)
        raise
    seg.finish(segment, end)
    return end
