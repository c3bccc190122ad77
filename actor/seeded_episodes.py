"""Episodes from seeded resets, one after the other, with a person's leave after every stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from actor.chooser import Chooser
from actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from actor.waiting import resume_after_stop
from robot_envs.devices.operator import Operator
from transport.record import Phase

__all__ = ["seeded_episodes"]


def seeded_episodes(
    loop: ControlLoop,
    chooser: Chooser,
    bystander: Operator,
    seed: int,
    stop: Callable[[], bool],
    episodes: int | None,
) -> Iterator[EpisodeSummary]:
    """Yield every episode that was finished.

    Args:
        loop: Runs them.
        chooser: Acts in them.
        bystander: Says when to go on after a stop.
        seed: Of the resets; equal seeds give equal episodes.
        stop: Ends a running episode, which is then not yielded, and the wait for the bystander.
        episodes: How many; None = until `stop`.
    """
    for index in count() if episodes is None else range(episodes):
        reset_seed = episode_seed(seed, Phase.EVAL, index)
        summary = loop.run_episode(index, Phase.EVAL, chooser, reset_seed, may_step=lambda: not stop())
        if summary.stop_reason == INTERRUPTED:
            return
        yield summary
        resume_after_stop(loop.env, bystander, summary.stop_reason, stop)
        if stop():  # a stop that nobody has released stays latched: no reset
            return
