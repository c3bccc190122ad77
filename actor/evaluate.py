"""Evaluation: the policy alone, at its most likely action, on fresh or listed starts.

A learned reward is not the ground truth. The operator's verdict counts where the operator has marked an episode, else
the task's own verdict where it has one. An episode in which the operator acted is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import gymnasium

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE, HandOver
from steadyhand.actor.control_loop import ControlLoop, EpisodeSummary
from steadyhand.actor.episode import Append
from steadyhand.actor.evaluated_episode import EvaluatedEpisode
from steadyhand.actor.events import Events
from steadyhand.actor.operator_label import Labeller
from steadyhand.actor.runner import Runner
from steadyhand.actor.seeded_episodes import PlannedEpisode, planned_episodes
from steadyhand.actor.starts import Start, seeded_starts
from steadyhand.actor.statistics import wilson_interval
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.schema import Schema

__all__ = ["Evaluation", "Protocol", "evaluate", "evaluated_episodes", "judge", "judge_episodes", "selector_for"]


@dataclass(frozen=True)
class Evaluation:
    """Performance of a policy.

    Attributes:
        episodes: Episodes that were finished.
        successes: Episodes of these that succeeded.
        success_rate: Successes / episodes.
        wilson_low: Lower end of the rate's 95 % interval.
        wilson_high: Upper end of it.
        median_cycle_time_s: Control time of a success; None without one.
        throughput_per_hour: Successes in an hour of control time; resets are not counted.
        interventions: Episodes in which the operator acted; each counts as a failure.
        rows: One mapping per episode, ready for JSON. Its `success` is the verdict that counts, and `judged_by` its
            source; `machine_success` and `operator_success` are both verdicts, null where there is none, and
            `reward_success` is that of a reward component that has one.
        judged_by: Source of the verdicts: task, reward or operator; joined by " and " when they differ, "" without any.
        labelled: Episodes that have the machine's verdict and the operator's.
        agreed: Episodes of these in which the two are equal.
    """

    episodes: int
    successes: int
    success_rate: float
    wilson_low: float
    wilson_high: float
    median_cycle_time_s: float | None
    throughput_per_hour: float
    interventions: int
    rows: tuple[dict[str, Any], ...]
    judged_by: str = "task"
    labelled: int = 0
    agreed: int = 0


@dataclass(frozen=True)
class Protocol:
    """Protocol of an evaluation.

    Attributes:
        starts: Starts of the episodes; None = drawn from the seed.
        operator: May take over; the episode then counts as a failure.
        hand_over: Times of a hand-over between policy and operator.
        label: Asks for the operator's label after an episode; None = no label is asked.
        done: Episodes that an interrupted evaluation has finished, by their index; they are not run again.
        keep: Called with the index and every episode as soon as it is finished.
        announce: Called with every episode before its reset; nothing has moved yet.
    """

    starts: Sequence[Start] | None = None
    operator: Operator = field(default_factory=NoOperator)
    hand_over: HandOver = AT_ONCE
    label: Labeller | None = None
    done: Mapping[int, EvaluatedEpisode] = field(default_factory=dict)
    keep: Callable[[int, EvaluatedEpisode], object] = lambda index, episode: None
    announce: Callable[[PlannedEpisode], object] = lambda episode: None


def evaluate(
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    runner: Runner,
    episodes: int,
    seed: int,
    bystander: Operator,
    stop: Callable[[], bool] = lambda: False,
    append: Append = lambda record: None,
    events: Events | None = None,
    protocol: Protocol | None = None,
) -> Evaluation:
    """Run `episodes` episodes of the unassisted policy.

    Args:
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        runner: The policy, with weights.
        episodes: Number of episodes; equal seeds give equal episodes. With listed starts theirs counts.
        seed: Seed of the episodes' resets.
        bystander: The operator who decides when to go on after a stop; it never acts.
        stop: Ends the evaluation early; an episode that it interrupts does not count.
        append: Called with every record, for a log of the evaluation.
        events: Gets every episode.
        protocol: Listed starts, interventions, labels, and the episodes that are done; None = none of them.
    """
    if not runner.ready:
        raise ValueError("evaluate: expected a policy with weights, found none; load a checkpoint first")
    protocol = protocol or Protocol()
    loop = ControlLoop(env, schema, append, events=events)
    selector = selector_for(env, schema, runner, protocol)
    starts = seeded_starts(seed, episodes) if protocol.starts is None else protocol.starts
    found = dict(protocol.done)
    plan = [PlannedEpisode(i, start, selector) for i, start in enumerate(starts) if i not in found]
    found |= dict(evaluated_episodes(loop, plan, bystander, stop, protocol))
    return judge_episodes([found[index] for index in sorted(found)])


def selector_for(env: gymnasium.Env[Any, Any], schema: Schema, runner: Runner, protocol: Protocol) -> ActionSelector:
    """Return the selector of a policy at its most likely action, beside the operator of the protocol."""
    arbiter = Arbiter(teachable(env).motion_entries, protocol.hand_over, schema.control_period_s)
    return ActionSelector(protocol.operator, arbiter, runner, deterministic=True)


def evaluated_episodes(
    loop: ControlLoop,
    plan: Sequence[PlannedEpisode],
    bystander: Operator,
    stop: Callable[[], bool],
    protocol: Protocol,
) -> Iterator[tuple[int, EvaluatedEpisode]]:
    """Run planned episodes with the operator's labels, and yield the index and the result of each.

    An episode that the operator discards is run again from the same start, and its attempts are counted.
    """
    queue, discarded = list(plan), dict.fromkeys((one.index for one in plan), 0)

    def planned() -> Iterator[PlannedEpisode]:
        while queue:
            protocol.announce(queue[0])
            yield queue[0]

    for one, summary in planned_episodes(loop, planned(), bystander, stop):
        verdict = None if protocol.label is None else protocol.label(summary)
        if summary.discarded or verdict == "reset":
            discarded[one.index] += 1
            continue
        if protocol.label is not None and verdict is None and stop():
            return  # the wait for the label was ended; the episode is run again by the next start
        queue.pop(0)
        label = None if verdict is None else verdict == "success"
        episode = EvaluatedEpisode(summary, label, one.start, discarded[one.index])
        protocol.keep(one.index, episode)
        yield one.index, episode


def judge(summaries: Sequence[EpisodeSummary]) -> Evaluation:
    """Return the evaluation of finished episodes without labels."""
    return judge_episodes([EvaluatedEpisode(summary) for summary in summaries])


def judge_episodes(episodes: Sequence[EvaluatedEpisode]) -> Evaluation:
    """Return the evaluation of finished episodes."""
    counted = [episode.counted() for episode in episodes]
    won = [summary for summary in counted if summary.success]
    low, high = wilson_interval(len(won), len(counted))
    hours = sum(summary.duration_s for summary in counted) / 3600.0
    pairs = [(episode.machine_success, episode.operator_success) for episode in episodes]
    both = [(machine, operator) for machine, operator in pairs if machine is not None and operator is not None]
    return Evaluation(
        episodes=len(counted),
        successes=len(won),
        success_rate=len(won) / len(counted) if counted else 0.0,
        wilson_low=low,
        wilson_high=high,
        median_cycle_time_s=median(summary.duration_s for summary in won) if won else None,
        throughput_per_hour=len(won) / hours if hours else 0.0,
        interventions=sum(summary.helped for summary in counted),
        rows=tuple(episode.row() for episode in episodes),
        judged_by=" and ".join(sorted({summary.judged_by for summary in counted})),
        labelled=len(both),
        agreed=sum(machine == operator for machine, operator in both),
    )
