"""The backlog: records of earlier sessions that the learner does not hold yet. They are offered before new ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from steadyhand.actor.pause import pause
from steadyhand.actor.session_log import SESSION_FOLDER
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.ack_file import note_acknowledged, unacknowledged
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.recovery import recover
from steadyhand.transport.run_identity import UNKNOWN, Identity, IdentityError, read_identity
from steadyhand.transport.uplink import Rejected, Uplink
from steadyhand.transport.wire import Hello

__all__ = ["Backlog", "deliver_backlog"]

logger = get_logger("actor.backlog")


@dataclass(frozen=True)
class Backlog:
    """The rest of earlier sessions after all were offered. It stays on the disk until a learner takes it."""

    records: int = 0
    record_bytes: int = 0


def deliver_backlog(
    outbox: Path,
    session_id: str,
    make_uplink: Callable[[LogReader], Uplink],
    timeout_s: float,
    trim: bool,
    stop: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
    run: Identity = UNKNOWN,
) -> Backlog:
    """Offer the sessions in `outbox`, other than the present one, that the learner is not known to hold.

    A session that the learner refuses (for another robot, say) is kept and reported.

    Args:
        outbox: Folder with one log folder per session.
        session_id: The present session, which sends for itself.
        make_uplink: Makes the uplink of one log.
        timeout_s: Time without an answer or a delivered record after which a session is left for later.
        trim: Whether logs that the learner holds as a whole are deleted.
        stop: Returns whether to end early.
        clock: Measures `timeout_s`.
        run: The run; task and robot are those that each session was recorded with.
    """
    clock = clock or MonotonicClock()
    left, left_bytes = 0, 0
    folders = sorted(path for path in outbox.iterdir() if SESSION_FOLDER.fullmatch(path.name))
    for folder in folders:
        if folder.name == session_id:
            continue
        try:
            recover(folder)
            count, _ = unacknowledged(folder)
            if count and not stop():
                _offer(folder, make_uplink, timeout_s, stop, clock, run)
            count, count_bytes = unacknowledged(folder)
        except (LogError, IdentityError) as error:
            logger.error("%s; it is left alone", error)
            continue
        except OSError as error:
            logger.error("session %s is left for later: %s", folder.name, error)
            continue
        if not count and trim:
            shutil.rmtree(folder, ignore_errors=True)
        left, left_bytes = left + count, left_bytes + count_bytes
    return Backlog(left, left_bytes)


def _offer(
    folder: Path,
    make_uplink: Callable[[LogReader], Uplink],
    timeout_s: float,
    stop: Callable[[], bool],
    clock: Clock,
    run: Identity,
) -> None:
    with closing(LogReader(folder)) as reader, closing(make_uplink(reader)) as uplink:
        identity = read_identity(folder).of_run(run)
        hello = Hello.of(reader.schema, reader.actor_id, reader.session_id, identity)
        deadline_ns = clock.now_ns() + round(timeout_s * 1e9)
        while True:
            try:
                uplink.connect(hello, timeout_s)
                break
            except TimeoutError as error:
                logger.warning("session %s is left for later: %s", folder.name, error)
                return
            except Rejected as rejected:
                # The actor's last session may not have been silent for long enough yet.
                if stop() or clock.now_ns() >= deadline_ns:
                    logger.error("session %s is kept: %s", folder.name, rejected)
                    return
                pause(clock)
        durable_seq = 0
        while durable_seq < reader.next_seq and not stop() and clock.now_ns() < deadline_ns:
            progress = uplink.progress()
            if progress.durable_seq > durable_seq:
                durable_seq = progress.durable_seq
                deadline_ns = clock.now_ns() + round(timeout_s * 1e9)
            pause(clock)
        if durable_seq:
            note_acknowledged(folder, durable_seq)
        logger.info("session %s: the learner holds %d of %d records", folder.name, durable_seq, reader.next_seq)
