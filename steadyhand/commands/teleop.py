"""Drive the mock or a robot by hand through the safety gate, without a policy; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import check_config
from steadyhand.robot_envs.devices.make import held_by_person, input_name, make_person
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import setup
from steadyhand.session import opened_env
from steadyhand.teleop import Teleop
from steadyhand.teleop_view import shown
from steadyhand.terminal import say

EPILOG = (
    "The person is device=spacemouse, device=gamepad or device=keyboard. An episode ends with success, or when the\n"
    "robot was stopped; the next one begins with a reset. Ctrl-C ends it.\n"
    "example: steadyhand teleop device=keyboard task=reach"
)
ENDLESS = 10**9  # steps: a person drives for as long as they like


def add_options(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Drive until somebody ends it."""
    config = compose(overrides)
    check_config(config)
    config = _for_a_person(config)
    logging = build(LoggingConfig, config["logging"], "logging")
    setup(logging.level)
    seed: int = config["seed"]
    hand_over = build(ActorConfig, config["actor"], "actor").hand_over
    with (
        StopFlag().on_signals() as stop,
        opened_env(config, seed) as env,
        closing(make_person(config["device"], int((env.action_space.shape or (0,))[0]))) as person,
    ):
        teleop = Teleop(env, person, seed, stop, hand_over)
        with shown(logging, teleop.status):
            teleop.run(_say_episode)
    return 0


def _for_a_person(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration without a time limit on episodes.

    Raises:
        ConfigError: Nobody drives, or there is no arm to drive.
    """
    device, task = config["device"], config["task"]
    if not held_by_person(device):
        raise ConfigError(
            "device: expected one that a person holds, such as spacemouse, gamepad or keyboard, found "
            f"{input_name(device)}; give device=keyboard"
        )
    if task.get("kind") != "robot":
        raise ConfigError(f"task: expected a task for an arm, found kind {task.get('kind')}; give task=reach")
    return {**config, "task": {**task, "drive": {**task["drive"], "max_steps": ENDLESS}}}


def _say_episode(summary: EpisodeSummary) -> None:
    outcome = "success" if summary.success else f"stopped: {summary.stop_reason}"
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps")
