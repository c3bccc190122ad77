"""Episodes from planned starts, one after the other, with a person's permission after every stop and every break."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.actor.starts import Start
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.transport.record import Phase

__all__ = ["PlannedEpisode", "planned_episodes", "seeded_episodes"]


@dataclass(frozen=True)
class PlannedEpisode:
    """One episode to run.

    Attributes:
        index: Number of the episode.
        start: Start of the episode.
        selector: Acts in it.
    """

    index: int
    start: Start
    selector: ActionSelector


def planned_episodes(
    loop: ControlLoop, plan: Iterable[PlannedEpisode], bystander: Operator, stop: Callable[[], bool]
) -> Iterator[tuple[PlannedEpisode, EpisodeSummary]]:
    """Yield every planned episode that was finished, with its summary.

    Args:
        loop: Runs them.
        plan: The episodes; the next one is taken when the caller asks for it.
        bystander: Decides when to go on after a stop, and may ask for a break; an interrupted episode starts again.
        stop: Ends a running episode, which is then not yielded, and the wait for the bystander.
    """
    rest = OperatorBreak(loop.env, bystander, loop.events)
    for one in plan:
        # A stop that was not released stays latched when the wait ends: there is no further reset.
        while not stop():
            if rest.requested():
                rest.run(stop, lambda reason: pause())
                continue
            summary = loop.run_episode(
                one.index,
                Phase.EVAL,
                one.selector,
                one.start.seed,
                may_step=lambda: not (stop() or rest.requested()),
                options=one.start.options,
            )
            if summary.stop_reason != INTERRUPTED:
                yield one, summary
                resume_after_stop(loop.env, bystander, summary.stop_reason, stop, events=loop.events)
                break
        if stop():
            return


def seeded_episodes(
    loop: ControlLoop,
    selector: ActionSelector,
    bystander: Operator,
    seed: int,
    stop: Callable[[], bool],
    episodes: int | None,
) -> Iterator[EpisodeSummary]:
    """Yield the summary of every episode that was finished, from seeded resets.

    Args:
        loop: Runs them.
        selector: Acts in them.
        bystander: As for `planned_episodes`.
        seed: Seed of the resets; equal seeds give equal episodes.
        stop: As for `planned_episodes`.
        episodes: Number of episodes; None = until `stop`.
    """
    numbers = count() if episodes is None else iter(range(episodes))
    plan = (PlannedEpisode(i, Start(episode_seed(seed, Phase.EVAL, i)), selector) for i in numbers)
    for _, summary in planned_episodes(loop, plan, bystander, stop):
        yield summary
