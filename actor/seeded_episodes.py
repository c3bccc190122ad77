"""Episodes from seeded resets, one after the other, with a person's permission after every stop and every break."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.transport.record import Phase

__all__ = ["seeded_episodes"]


def seeded_episodes(
    loop: ControlLoop,
    selector: ActionSelector,
    bystander: Operator,
    seed: int,
    stop: Callable[[], bool],
    episodes: int | None,
) -> Iterator[EpisodeSummary]:
    """Yield every episode that was finished.

    Args:
        loop: Runs them.
        selector: Acts in them.
        bystander: Decides when to go on after a stop, and may ask for a break; an interrupted episode starts again.
        seed: Seed of the resets; equal seeds give equal episodes.
        stop: Ends a running episode, which is then not yielded, and the wait for the bystander.
        episodes: Number of episodes; None = until `stop`.
    """
    rest = OperatorBreak(loop.env, bystander, loop.events)
    index = 0
    # A stop that was not released stays latched when the wait ends: there is no further reset.
    while not stop() and (episodes is None or index < episodes):
        if rest.requested():
            rest.run(stop, lambda reason: pause())
            continue
        summary = loop.run_episode(
            index,
            Phase.EVAL,
            selector,
            episode_seed(seed, Phase.EVAL, index),
            may_step=lambda: not (stop() or rest.requested()),
        )
        if summary.stop_reason != INTERRUPTED:
            index += 1
            yield summary
            resume_after_stop(loop.env, bystander, summary.stop_reason, stop, events=loop.events)
