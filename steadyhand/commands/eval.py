"""Evaluate a policy on seeded episodes, unassisted, and print the result."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import open_job, with_alias
from steadyhand.output import check_output
from steadyhand.person import say_requests, with_person
from steadyhand.pipeline.environment import opened_env
from steadyhand.pipeline.evaluation import about_evaluation, evaluate_in, trained_policy
from steadyhand.policy_file import load_policy
from steadyhand.report.evaluations import POLICY, evaluation_table, keep_evaluation
from steadyhand.robot_envs.make import make_onlooker
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say

EPILOG = (
    "The policy is the newest one of run_name=..., or the file that --checkpoint names. `episodes=200` is short for\n"
    "demo.eval_episodes=200. Equal seeds give equal episodes. The run keeps the result: `steadyhand runs` and\n"
    "`steadyhand report` show it.\n"
    "example: steadyhand eval run_name=pegs episodes=100 seed=1 --json pegs.json"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the policy and the result file."""
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="policy file; the run's newest one otherwise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, with one row per episode")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Evaluate and print a table."""
    use_one_thread()
    if options.json:
        check_output(options.json, "--json")
    given = with_alias(overrides, "episodes", "demo.eval_episodes")
    job = open_job(given, create=None if options.checkpoint else False)
    policy = load_policy(options.checkpoint) if options.checkpoint else trained_policy(job)
    who = options.checkpoint.name if options.checkpoint else POLICY
    is_kept = job.settings.run_name is not None
    if is_kept:
        check_output(job.run.metrics / "evaluation", "run_name")
    settings, events = job.settings, Events()
    say_requests(events)
    with (
        StopFlag().on_signals() as stop,
        opened_env(settings, job.seed) as env,
        with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person,
    ):
        episodes = settings.demo.eval_episodes
        result = evaluate_in(job, person.env, person.operator, policy, episodes, job.seed, stop, events)
    say(evaluation_table({who: result}))
    if result.judged_by not in ("", "task"):
        say(f"success decided by {result.judged_by}: the task cannot decide it here")
    if options.json:
        atomic_write_json(options.json, asdict(result))
    if stop():
        return 130
    if is_kept:
        say(f"kept: {keep_evaluation(job.run, result, about_evaluation(job, policy, job.seed, who))}")
    return 0
