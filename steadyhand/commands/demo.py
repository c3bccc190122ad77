"""Every step on the mock robot: demonstrations, a baseline, practice with corrections, an evaluation, a report.

Learner and actor are two processes, as with a real robot. The exit status is 0 only if the policy reaches
demo.required_success unassisted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.earlier.taking import take_earlier
from steadyhand.job import new_job
from steadyhand.learner.device import resolve_device
from steadyhand.pipeline.stages import RobotWork, demonstrate, judge, run_stages
from steadyhand.subprocesses import ChildError
from steadyhand.supervise import train
from steadyhand.terminal import say

EPILOG = (
    "Everything is seeded from seed=. A demo that was ended early goes on with run_name=<its name>.\n"
    "example: steadyhand demo seed=0 task=peg_insert"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run every stage; return 0 only for a policy that is good enough."""
    use_one_thread()
    with new_job(overrides) as job, StopFlag().on_signals() as stop:
        device = resolve_device(job.settings.learner.device)
        take_earlier(job)  # a part that does not fit ends the demo before the demonstrations; the learner takes it
        say(f"steadyhand demo: {job.run.path}, learning on {device}")
        start = partial(job.write_manifest, compute_device=str(device))
        work = RobotWork(partial(demonstrate, start=start), train, judge)
        try:
            passed = run_stages(job, stop, work)
        except ChildError as error:
            sys.stderr.write(f"steadyhand demo: {error}\n")
            return 1
    say(f"\nreport: {job.run.path / 'report.html'}")
    return 0 if passed else 1
