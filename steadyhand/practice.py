"""Practice with a learner and an actor, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from steadyhand.actor.waiting import pause
from steadyhand.children import Child, ChildError, ending, free_addresses
from steadyhand.job import Job
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["train", "watch"]

POLL_NS = 200_000_000


def train(job: Job, stop: Callable[[], bool] = lambda: False, shown: bool = True) -> None:
    """Run learner and actor over loopback until the actor has practised enough, then end both.

    Args:
        job: What to learn; a run that was ended early goes on.
        stop: Ends practice early; what was learnt is kept.
        shown: Whether the actor's view goes to this process's standard output.

    Raises:
        ChildError: One of the two died, or both made no progress; the message has the last lines of the culprit.
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
    """Return when the actor, the last of `children`, has ended well, or `stop` says so.

    Args:
        job: Whose metrics and logs tell of progress.
        children: The others have to live as long; who explains more comes first.
        when: For the message: "during practice".
        stop: Ends the wait early.

    Raises:
        ChildError: One of them died, or none made progress; the message has their last lines.
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
    """Return how many bytes the processes have written about themselves: it stands still when they hang."""
    run = job.run
    written = (*run.metrics.glob("*.jsonl"), *run.actors.glob("*/*.jsonl"), *run.path.glob("*.log"))
    return sum(path.stat().st_size for path in written)
