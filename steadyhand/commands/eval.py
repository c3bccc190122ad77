"""Evaluate a policy on seeded or listed starts, unassisted, or compare two policies blindly; print the result."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path

from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.statistics import wilson_interval
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.exporters.evaluations import evaluation_export
from steadyhand.job import Job, open_job, quoted, with_alias
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.output import check_output
from steadyhand.person import say_requests, with_person
from steadyhand.pipeline.comparing import NamedPolicy, about_comparison, compare_in, find_policy, open_comparison
from steadyhand.pipeline.environment import driven_env
from steadyhand.pipeline.evaluation import about_evaluation, chosen_policy, evaluate_in
from steadyhand.pipeline.protocol import policy_digest, protocol_for, setting_of, starts_for
from steadyhand.report.comparisons import comparison_json, comparison_table, keep_comparison, verdict_line
from steadyhand.report.evaluations import POLICY, evaluation_table, keep_evaluation
from steadyhand.report.open_evaluation import OpenEvaluation
from steadyhand.robot_envs.make import make_onlooker
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "The policy is the newest one of run_name=..., with eval.policy=start the one before practice, or the file that\n"
    "--checkpoint names. Task, robot and cameras are those of the run. `episodes=200` is short for\n"
    "demo.eval_episodes=200, `eval.starts=FILE` lists the starts. Equal seeds give equal episodes.\n"
    "An interrupted evaluation continues with the same command. The run keeps the result: `steadyhand runs` and\n"
    "`steadyhand report` show it (docs/evaluation.md).\n"
    "--against runs pairs of episodes in a hidden order, and ends as soon as one policy is known to be better.\n"
    "example: steadyhand eval run_name=pegs episodes=100 seed=1 --json pegs.json"
)
SHORT = "eval."  # the group `evaluation`, as the verb's own keys


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the policy and the result file."""
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="policy file; short for eval.policy=FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, with one row per episode")
    parser.add_argument(
        "--against",
        metavar="RUN",
        help="compare blindly with this run, checkpoint or policy file, and stop as soon as the better one is known",
    )
    parser.add_argument("--fresh", action="store_true", help="begin anew instead of continuing an interrupted one")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Evaluate and print a table."""
    use_one_thread()
    if options.json:
        check_output(options.json, "--json")
    words = _written_out(overrides)
    if options.checkpoint:
        words.append(f"evaluation.policy={quoted(options.checkpoint)}")
    job = open_job(words, create=None, remember=True)
    who, policy = chosen_policy(job)
    if job.settings.run_name is not None:
        check_output(job.run.metrics / "evaluation", "run_name")
    if options.against is not None:
        first = NamedPolicy(job.run.name if who == POLICY else who, policy)
        return _compare(job, (first, find_policy(job, options.against)), options)
    return _evaluate(job, policy, who, options)


def _evaluate(job: Job, policy: SavedPolicy, who: str, options: argparse.Namespace) -> int:
    settings, events, is_kept = job.settings, Events(), job.settings.run_name is not None
    starts = starts_for(job, job.seed, settings.demo.eval_episodes)
    identity = {"who": who, "policy": policy_digest(policy), **setting_of(job, starts)}
    kept = OpenEvaluation(job.run, identity) if is_kept else None
    if kept is not None and options.fresh:
        kept.restart()
    say_requests(events)
    with (
        StopFlag().on_signals() as stop,
        evaluation_export(job) if is_kept else nullcontext() as exported,
        driven_env(settings, job.seed) as env,
        with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person,
    ):
        protocol = protocol_for(job, person, starts, stop, events, kept)
        if protocol.done:
            done = f"{len(protocol.done)} of {len(starts.episodes)} episodes are done"
            say(f"continues an interrupted evaluation: {done}")
        result = evaluate_in(
            job, person.env, person.operator, policy, len(starts.episodes), job.seed, stop, events, protocol=protocol
        )
        about = about_evaluation(job, policy, job.seed, who) | dict(starts.about)
        is_complete = not (stop() and result.episodes < len(starts.episodes))
        if exported is not None and is_complete:
            exported.add(result, about)
    say(evaluation_table({who: result}))
    for line in _remarks(result):
        say(line)
    if options.json:
        atomic_write_json(options.json, asdict(result))
    if not is_complete:
        if kept is not None:
            say(f"interrupted after {result.episodes} of {len(starts.episodes)} episodes; the same command continues")
        return 130
    if kept is not None:
        say(f"kept: {keep_evaluation(job.run, result, about)}")
        kept.close()
    return 0


def _compare(job: Job, policies: tuple[NamedPolicy, NamedPolicy], options: argparse.Namespace) -> int:
    settings, events = job.settings, Events()
    if settings.run_name is None:
        raise ConfigError("run_name: expected the run that keeps the comparison, found none; give run_name=...")
    starts = starts_for(job, job.seed, settings.evaluation.comparison.max_pairs)
    kept = open_comparison(job, policies, starts)
    if options.fresh:
        kept.restart()
    names = policies[0].name, policies[1].name
    say_requests(events)
    with (
        StopFlag().on_signals() as stop,
        driven_env(settings, job.seed) as env,
        with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person,
    ):
        if kept.done:
            say(f"continues an interrupted comparison: {len(kept.done) // 2} pairs are done")
        result = compare_in(job, person, policies, starts, kept, stop, events)
    if not result.is_finished:
        say(f"interrupted after {result.test.pairs} pairs; the same command continues, and the policies stay hidden")
        return 130
    say(comparison_table(result, names))
    say(verdict_line(result, names))
    values = comparison_json(result, names, about_comparison(job, policies, starts))
    if options.json:
        atomic_write_json(options.json, values)
    say(f"kept: {keep_comparison(job.run, values)}")
    kept.close()
    return 0


def _remarks(result: Evaluation) -> list[str]:
    """Return what the table does not say."""
    lines = []
    if result.judged_by not in ("", "task"):
        lines.append(f"success decided by {result.judged_by}: the task cannot decide it here")
    if result.interventions:
        lines.append(f"{result.interventions} episodes with an intervention, each counted as a failure")
    if result.labelled:
        low, high = wilson_interval(result.agreed, result.labelled)
        lines.append(
            f"operator and machine agree in {result.agreed} of {result.labelled} labelled episodes "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
        )
    return lines


def _written_out(overrides: Sequence[str]) -> list[str]:
    """Return the overrides with the verb's short keys written out.

    Raises:
        ConfigError: The number of episodes is given beside listed starts.
    """
    words = [f"evaluation.{word.removeprefix(SHORT)}" if word.startswith(SHORT) else word for word in overrides]
    words = with_alias(words, "episodes", "demo.eval_episodes")
    keys = [word.partition("=")[0] for word in words]
    if "evaluation.starts" in keys and "demo.eval_episodes" in keys:
        raise ConfigError("episodes: expected no number beside listed starts, found both; give eval.repeats=N")
    return words
