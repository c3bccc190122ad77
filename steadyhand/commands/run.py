"""Deploy an exported policy: control loop and safety gate as in practice, without a learner and without torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor_id import check_robot
from steadyhand.person import say_requests, with_person
from steadyhand.pipeline.deployment import deploy_policy, deployment_text, runner_for_policy
from steadyhand.pipeline.environment import driven_env
from steadyhand.robot_envs.make import make_onlooker
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.logging import setup
from steadyhand.settings import compose_settings
from steadyhand.terminal import say

EPILOG = (
    "The file is one that `steadyhand export` has written. Choose task, camera and robot as they were in training.\n"
    "A person with device=spacemouse, gamepad or keyboard may take over, and says when to go on after a stop.\n"
    "Nothing is recorded. Ctrl-C ends it.\n"
    "example: steadyhand run --policy runs/pegs/policy.onnx task=peg_insert --episodes 20"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the policy and the number of episodes."""
    parser.add_argument("--policy", type=Path, metavar="FILE", required=True, help="the ONNX file")
    parser.add_argument("--episodes", type=int, metavar="N", help="how many; without a number until Ctrl-C")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run the policy until the episodes are done or the process is stopped."""
    if options.episodes is not None and options.episodes < 1:
        raise ConfigError(f"--episodes: expected at least 1, found {options.episodes}")
    settings = compose_settings(overrides)
    setup(settings.logging.level)
    policy = OnnxPolicy.load(options.policy)
    check_robot(policy.description.identity, settings.composed, str(options.policy))
    events = Events()
    events.subscribe(EpisodeEnded, say_episode)
    say_requests(events)
    with StopFlag().on_signals() as stop, driven_env(settings, settings.seed) as env:
        runner = runner_for_policy(settings, policy, env)
        with with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person:
            result = deploy_policy(settings, person.env, person.operator, runner, options.episodes, stop, events)
    say(deployment_text(result))
    return 130 if stop() and options.episodes is not None else 0


def say_episode(event: EpisodeEnded) -> None:
    """Print the result of an episode."""
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = "success" if summary.success else summary.stop_reason or "no success"
    helped = f", {summary.human_steps} of them a person's" if summary.helped else ""
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps{helped}")
