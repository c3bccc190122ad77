"""Drive the mock or a robot by hand through the safety gate, without a policy; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.person import with_person
from steadyhand.pipeline.environment import driven_env
from steadyhand.robot_envs.devices.make import held_by_person, input_name
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.make import make_onlooker
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.logging import setup
from steadyhand.settings import Settings, read_settings
from steadyhand.teleop import Teleop
from steadyhand.teleop_view import shown
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings

EPILOG = (
    "The person is device=spacemouse, device=gamepad or device=keyboard. Nothing moves before the person enables\n"
    "motion (Enter). An episode ends with success, a stop or a verdict of the person; the next one begins with a\n"
    "reset. Ctrl-C ends it. docs/devices.md lists the keys.\n"
    "example: steadyhand teleop device=keyboard task=reach"
)
ENDLESS = 10**9  # steps: the operator drives without a time limit


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Let the operator drive until the process is stopped."""
    settings = _for_a_person(compose_training_settings(overrides))
    setup(settings.logging.level)
    seed, hand_over, events = settings.seed, settings.actor.hand_over, Events()
    events.subscribe(EpisodeEnded, _say_episode)
    with (
        StopFlag().on_signals() as stop,
        driven_env(settings, seed) as env,
        with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person,
    ):
        driver = person.acting
        assert isinstance(driver, DeviceOperator)
        teleop = Teleop(person.env, driver, seed, stop, hand_over, person.operator, events)
        with shown(settings.logging, teleop.status):
            teleop.run()
    return 0


def _for_a_person(settings: Settings) -> Settings:
    """Return the settings without a time limit on episodes.

    Raises:
        ConfigError: The device is not one that an operator holds, or the task has no arm.
    """
    device, task = settings.composed["device"], settings.composed["task"]
    if not held_by_person(device):
        raise ConfigError(
            "device: expected one that a person holds, such as spacemouse, gamepad or keyboard, found "
            f"{input_name(device)}; give device=keyboard"
        )
    if isinstance(settings.task, GymTaskConfig):
        raise ConfigError(f"task: expected a task for an arm, found kind {task.get('kind')}; give task=reach")
    return read_settings({**settings.composed, "task": {**task, "drive": {**task["drive"], "max_steps": ENDLESS}}})


def _say_episode(event: EpisodeEnded) -> None:
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = f"stopped: {summary.stop_reason}" if summary.stop_reason else event.outcome
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps")
