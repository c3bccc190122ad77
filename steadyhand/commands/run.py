"""Deploy an exported policy: control loop and safety gate as in practice, without a learner and without torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.deploy import Deployment, deploy
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.onnx_runner import OnnxRunner
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.identity import check_robot
from steadyhand.person import say_requests, with_person
from steadyhand.robot_envs.make import make_env, make_onlooker
from steadyhand.runtime.config import ConfigError, build
from steadyhand.runtime.logging import setup
from steadyhand.settings import composed
from steadyhand.terminal import say

EPILOG = (
    "The file is one that `steadyhand export` has written. Choose task, camera and robot as they were in training.\n"
    "A person with device=spacemouse, gamepad or keyboard may take over, and says when to go on after a stop.\n"
    "Nothing is recorded. Ctrl-C ends it.\n"
    "example: steadyhand run --policy runs/pegs/policy.onnx task=peg_insert --episodes 20"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take the policy, and how often it is to do its task."""
    parser.add_argument("--policy", type=Path, metavar="FILE", required=True, help="the ONNX file")
    parser.add_argument("--episodes", type=int, metavar="N", help="how many; without a number until Ctrl-C")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Act until the episodes are done or somebody ends it."""
    if options.episodes is not None and options.episodes < 1:
        raise ConfigError(f"--episodes: expected at least 1, found {options.episodes}")
    config = composed(overrides)
    setup(build(LoggingConfig, config["logging"], "logging").level)
    hand_over = build(ActorConfig, config["actor"], "actor").hand_over
    policy = OnnxPolicy.load(options.policy)
    check_robot(policy.description.identity, config, str(options.policy))
    seed: int = config["seed"]
    events = Events()
    events.subscribe(EpisodeEnded, say_episode)
    say_requests(events)
    with StopFlag().on_signals() as stop, closing(make_env(config, seed)) as env:
        schema = env_schema(env)
        runner = OnnxRunner(policy, schema, config["task"])
        with with_person(config, env, partial(make_onlooker, config, env), stop, events) as person:
            onlooker, episodes = person.operator, options.episodes
            result = deploy(person.env, schema, runner, onlooker, hand_over, episodes, seed, stop, events)
    say(result_text(result))
    return 130 if stop() and options.episodes is not None else 0


def say_episode(event: EpisodeEnded) -> None:
    """Print the result of an episode."""
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = "success" if summary.success else summary.stop_reason or "no success"
    helped = f", {summary.human_steps} of them a person's" if summary.helped else ""
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps{helped}")


def result_text(result: Deployment) -> str:
    """Return what a deployment came to, as one line."""
    period, compute = result.period, result.compute
    return (
        f"{result.successes} of {result.episodes} episodes succeeded, {result.helped} with help, {result.stopped} were "
        f"stopped; period p50 {period.p50_ms:.1f} ms, p99 {period.p99_ms:.1f} ms, max {period.max_ms:.1f} ms, "
        f"{result.overruns} overruns; its own work p50 {compute.p50_ms:.2f} ms, p99 {compute.p99_ms:.2f} ms"
    )
