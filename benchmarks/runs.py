"""Runs of the mock robot in real processes: demonstrations of `reach`, and the addresses of learner and actor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.measure import CLOCK
from steadyhand.job import Job, open_job, quoted
from steadyhand.pipeline.recording import record
from steadyhand.storage import outboxes
from steadyhand.subprocesses import Child, free_addresses
from steadyhand.transport import log_folder
from steadyhand.transport.log import LogReader

__all__ = ["WaitedTooLongError", "open_run", "outbox_of", "process_overrides", "recorded_steps", "wait_for"]

POLL_NS = 5_000_000


class WaitedTooLongError(RuntimeError):
    """A process has not reached the expected state in time."""


def open_run(folder: Path, overrides: Sequence[str], demos: int) -> Job:
    """Open a run in `folder`, and record demonstrations of `reach` in it faster than real time."""
    given = ("task=reach", f"demo.demos={demos}", "logging.level=warning", "logging.console=off", *overrides)
    job = open_job([*given, f"run_root={quoted(folder)}", "run_name=run"])
    job.write_manifest()
    record(job)
    return job


def process_overrides(job: Job) -> list[str]:
    """Return the overrides of both processes of the run: free addresses, and a robot in real time."""
    address, weights_address = free_addresses(2)
    addresses = (f"transport.address={address}", f"transport.weights_address={weights_address}")
    return job.child_overrides(*addresses, "device.pace=realtime")


def outbox_of(job: Job) -> Path | None:
    """Return the folder of the actor's log; None before it exists."""
    found = [path for outbox in outboxes(job.run) for path in outbox.iterdir() if log_folder.paths(path)]
    return found[0] if found else None


def recorded_steps(job: Job) -> int:
    """Return the number of records that the actor has made so far."""
    log = outbox_of(job)
    if log is None:
        return 0
    with closing(LogReader(log)) as reader:
        return len(reader)


def wait_for(condition: Callable[[], object], children: Sequence[Child], timeout_s: float, what: str) -> None:
    """Return as soon as `condition()` holds.

    Raises:
        ChildError: A process has ended.
        WaitedTooLongError: The condition did not hold in time.
    """
    deadline_ns = CLOCK.now_ns() + round(timeout_s * 1e9)
    while not condition():
        for child in children:
            if child.status is not None:
                raise child.error(child.ending_text())
        if CLOCK.now_ns() >= deadline_ns:
            raise WaitedTooLongError(f"expected {what} within {timeout_s:.0f} s, found none")
        CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)
