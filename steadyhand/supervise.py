"""Practice with a learner and an actor in two processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from steadyhand.actor.pause import pause
from steadyhand.job import Job
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.subprocesses import Child, ChildError, ending, free_addresses

__all__ = ["train", "watch"]

POLL_NS = 200_000_000


def train(job: Job, stop: Callable[[], bool] = lambda: False, shown: bool = True) -> None:
    """Run learner and actor over loopback until the actor's practice ends, then end both.

    Args:
        job: The run; one that was ended early continues.
        stop: Returns True to end practice early; the result is kept.
        shown: Whether the actor's view is printed on this process's standard output.

    Raises:
        ChildError: A process died, or both made no progress. The message has the last lines of the failed process.
    """
    address, weights_address = free_addresses(2)
    addresses = (f"transport.address={address}", f"transport.weights_address={weights_address}")
    overrides = job.child_overrides(*addresses)
    folder, grace_s, threads = job.run.path, job.settings.demo.grace_s, job.settings.learner.threads
    with ending(Child("learn", overrides, folder / "learner.log", threads), grace_s) as learner:
        with ending(Child("act", overrides, folder / "actor.log", threads=1, shown=shown), grace_s) as actor:
            watch(job, (learner, actor), "during practice", stop)
        if learner.end(grace_s) != 0:
            raise learner.error(learner.ending_text())


def watch(job: Job, children: Sequence[Child], when: str, stop: Callable[[], bool]) -> None:
    """Return when the actor, the last of `children`, has ended with status 0, or when `stop` returns True.

    Args:
        job: The job whose metrics and logs show progress.
        children: The processes; all others must outlive the actor. List the one with the most useful log first.
        when: The phase for the message, such as "during practice".
        stop: Returns True to end the wait early.

    Raises:
        ChildError: A process died, or none made progress. The message has their last lines.
    """
    clock = MonotonicClock()
    seen, since_ns = 0, clock.now_ns()
    while not stop():
        if children[-1].status == 0:
            return
        for child in children:
            if child.status is not None:
                raise child.error(f"{child.ending_text()} {when}")
        if (size := _written(job)) != seen:
            seen, since_ns = size, clock.now_ns()
        elif clock.now_ns() - since_ns > job.settings.demo.stall_s * 1e9:
            told = f"made no progress for {job.settings.demo.stall_s:.0f} s"
            raise ChildError("\n".join(str(child.error(told)) for child in children))
        pause(clock, POLL_NS)


def _written(job: Job) -> int:
    """Return the size of the processes' metrics and logs. It stops growing when they hang."""
    run = job.run
    written = (*run.metrics.glob("*.jsonl"), *run.actors.glob("*/*.jsonl"), *run.path.glob("*.log"))
    return sum(path.stat().st_size for path in written)
