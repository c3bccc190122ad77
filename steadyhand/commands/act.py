"""Start the actor: it controls the robot, records every step, and loads new weights as they arrive."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor_id import claimed_actor
from steadyhand.job import new_job, seed_for
from steadyhand.person import with_person
from steadyhand.pipeline.environment import driven_env
from steadyhand.pipeline.practice import ending_text, practise
from steadyhand.robot_envs.make import make_corrector
from steadyhand.subprocesses import end_with_parent
from steadyhand.terminal import say
from steadyhand.transport.demo_set import mean_steps

EPILOG = (
    "The learner is looked for at transport.address; on another machine with transport=network transport.host=... and\n"
    "keys (`steadyhand keys --help`). Ctrl-C ends practice after the running step; the same command goes on from\n"
    "there.\n"
    "example: steadyhand act run_name=pegs actor.max_env_steps=20000"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run the actor until practice ends."""
    use_one_thread()
    end_with_parent()
    events = Events()
    with (
        new_job(overrides) as job,
        claimed_actor(job.run, job.actor_id),
        StopFlag().on_signals() as stop,
        driven_env(job.settings, job.seed) as env,
        with_person(
            job.settings,
            env,
            partial(
                make_corrector,
                job.settings.composed,
                env,
                seed_for(job.seed, "corrector"),
                usual_steps=mean_steps(job.run.demos),
            ),
            stop,
            events,
        ) as person,
    ):
        summary = practise(job, person.env, person.operator, stop, accepted=job.write_manifest, events=events)
    say(ending_text(summary))
    if summary.end_reason == INTERRUPTED:
        return 130
    return 1 if summary.end_reason.startswith("log:") else 0
