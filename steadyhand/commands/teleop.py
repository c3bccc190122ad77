"""Drive the mock or a robot by hand through the safety gate, without a policy; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import check_config
from steadyhand.person import with_person
from steadyhand.robot_envs.devices.make import held_by_person, input_name
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.make import make_onlooker
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import setup
from steadyhand.session import opened_env
from steadyhand.teleop import Teleop
from steadyhand.teleop_view import shown
from steadyhand.terminal import say

EPILOG = (
    "The person is device=spacemouse, device=gamepad or device=keyboard. Nothing moves before the person enables\n"
    "motion (Enter). An episode ends with success, a stop or a verdict of the person; the next one begins with a\n"
    "reset. Ctrl-C ends it. docs/devices.md lists the keys.\n"
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
    events = Events()
    events.subscribe(EpisodeEnded, _say_episode)
    hand_over = build(ActorConfig, config["actor"], "actor").hand_over
    with (
        StopFlag().on_signals() as stop,
        opened_env(config, seed) as env,
        with_person(config, env, partial(make_onlooker, config, env), stop, events) as person,
    ):
        driver = person.acting
        assert isinstance(driver, DeviceOperator)
        teleop = Teleop(person.env, driver, seed, stop, hand_over, person.operator, events)
        with shown(logging, teleop.status):
            teleop.run()
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


def _say_episode(event: EpisodeEnded) -> None:
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = f"stopped: {summary.stop_reason}" if summary.stop_reason else event.outcome
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps")
