"""Evaluation: the policy alone, at its most likely action, on fresh episodes.

A learned reward is not the ground truth. The operator's verdict counts where the operator has marked an episode, else
the task's own verdict where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

import gymnasium

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop, EpisodeSummary
from steadyhand.actor.episode import Append
from steadyhand.actor.events import Events
from steadyhand.actor.runner import Runner
from steadyhand.actor.seeded_episodes import seeded_episodes
from steadyhand.actor.statistics import wilson_interval
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.schema import Schema

__all__ = ["Evaluation", "evaluate", "judge"]


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
        interventions: Episodes in which a person acted; always 0.
        rows: One mapping per episode, ready for JSON. Its `success` is the verdict that counts, and `judged_by` its
            source; `reward_success` is the verdict of a reward component that has one.
        judged_by: Source of the verdicts: task, reward or operator; joined by " and " when they differ, "" without any.
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
) -> Evaluation:
    """Run `episodes` seeded episodes of the unassisted policy.

    Args:
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        runner: The policy, with weights.
        episodes: Number of episodes; equal seeds give equal episodes.
        seed: Seed of the episodes' resets.
        bystander: The operator who decides when to go on after a stop; it never acts.
        stop: Ends the evaluation early; an episode that it interrupts does not count.
        append: Called with every record, for a log of the evaluation.
        events: Gets every episode.
    """
    if not runner.ready:
        raise ValueError("evaluate: expected a policy with weights, found none; load a checkpoint first")
    loop = ControlLoop(env, schema, append, events=events)
    arbiter = Arbiter(teachable(env).motion_entries, AT_ONCE, schema.control_period_s)
    selector = ActionSelector(NoOperator(), arbiter, runner, deterministic=True)
    return judge(list(seeded_episodes(loop, selector, bystander, seed, stop, episodes)))


def judge(summaries: Sequence[EpisodeSummary]) -> Evaluation:
    """Return the evaluation of finished episodes."""
    said = {index: one.success for index, one in enumerate(summaries) if one.judged_by == "reward"}
    summaries = [_by_truth(summary) for summary in summaries]
    won = [summary for summary in summaries if summary.success]
    low, high = wilson_interval(len(won), len(summaries))
    hours = sum(summary.duration_s for summary in summaries) / 3600.0
    return Evaluation(
        episodes=len(summaries),
        successes=len(won),
        success_rate=len(won) / len(summaries) if summaries else 0.0,
        wilson_low=low,
        wilson_high=high,
        median_cycle_time_s=median(summary.duration_s for summary in won) if won else None,
        throughput_per_hour=len(won) / hours if hours else 0.0,
        interventions=sum(summary.helped for summary in summaries),
        rows=tuple(
            asdict(summary) | ({"reward_success": said[index]} if index in said else {})
            for index, summary in enumerate(summaries)
        ),
        judged_by=" and ".join(sorted({summary.judged_by for summary in summaries})),
    )


def _by_truth(summary: EpisodeSummary) -> EpisodeSummary:
    """Return the summary with the task's verdict, if it has one, in place of a reward's."""
    if summary.judged_by != "reward" or summary.task_success is None:
        return summary
    return replace(summary, success=summary.task_success, judged_by="task")
