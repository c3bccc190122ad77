"""Record examples for a success classifier into a run's folder `examples`; an existing set is continued.

Every episode is kept, with a mark on each observation. With a device in the operator's hand, its success button marks
the success from now on, and its failure button takes the mark back; with several stages each press is one stage. The
scripted expert's examples are marked by the task, and in some episodes the expert wanders about instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import Countdown, DemoCounted, EpisodeEnded, Events
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import new_job, with_alias
from steadyhand.person import say_requests
from steadyhand.pipeline.examples import record_run_examples
from steadyhand.runtime.build import ConfigError
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "`episodes=20` is short for classifier.episodes=20, the episodes that reach the success. Settings:\n"
    "classifier.stages, classifier.episode_positives, classifier.wander_share. Demo sets and practice logs need no\n"
    "recording: `train` takes the ends of their successful episodes as positives.\n"
    "example: steadyhand reward record task=peg_insert camera=wrist_side run_name=pegs device=spacemouse episodes=20"
)
REWARD = "reward"
OPEN_ENDED = "reward=open_ended"  # an episode goes on after its success, to show it several times


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the step has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Record, and print every episode and the folder of the set."""
    if chosen := [word for word in overrides if word.lstrip("+~").partition("=")[0].partition(".")[0] == REWARD]:
        raise ConfigError(
            f"reward record: expected no setting of the reward, found {chosen[0]}; examples are marked by a button or "
            "by the task itself"
        )
    events = Events()
    events.subscribe(EpisodeEnded, _say_episode)
    events.subscribe(DemoCounted, lambda event: say(f"    {event.successes} of {event.wanted}; {event.quality}"))
    events.subscribe(Countdown, lambda event: say(f"  {event.left_s} ...") if event.left_s else None)
    say_requests(events)
    words = [*with_alias(overrides, "episodes", "classifier.episodes"), OPEN_ENDED]
    with new_job(words) as job, StopFlag().on_signals() as stop:
        manifest = record_run_examples(job, stop, events, job.write_manifest)
    say(
        f"{manifest.episodes} episodes, {manifest.successes} of them with success, {manifest.steps} steps: "
        f"{job.run.examples}; next: steadyhand reward train {job.run.examples}"
    )
    return 130 if stop() else 0


def _say_episode(event: EpisodeEnded) -> None:
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = "success" if summary.success else f"no success{', ' if summary.stop_reason else ''}{summary.stop_reason}"
    say(f"  episode {summary.episode_id + 1}: {outcome}, {summary.steps} steps")
