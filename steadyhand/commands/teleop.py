"""Drive the mock or a robot by hand through the safety gate, without a policy; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.pipeline.environment import opened_env
from steadyhand.robot_envs.devices.make import PERSONS, held_by_person, make_person
from steadyhand.robot_envs.gym_env import GymTaskConfig
from steadyhand.runtime.config import ConfigError
from steadyhand.runtime.logging import setup
from steadyhand.settings import Settings, read_settings
from steadyhand.teleop import Teleop
from steadyhand.teleop_view import shown
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings

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
    settings = _for_a_person(compose_training_settings(overrides))
    setup(settings.logging.level)
    seed, hand_over = settings.seed, settings.actor.hand_over
    with (
        StopFlag().on_signals() as stop,
        opened_env(settings, seed) as env,
        closing(make_person(settings.composed["device"], int((env.action_space.shape or (0,))[0]))) as person,
    ):
        teleop = Teleop(env, person, seed, stop, hand_over)
        with shown(settings.logging, teleop.status):
            teleop.run(_say_episode)
    return 0


def _for_a_person(settings: Settings) -> Settings:
    """Return the settings without a time limit on episodes.

    Raises:
        ConfigError: No person drives, or there is no arm to drive.
    """
    device, task = settings.composed["device"], settings.composed["task"]
    if not held_by_person(device):
        raise ConfigError(f"device: expected one of {', '.join(PERSONS)}, found {device['kind']}; give device=keyboard")
    if isinstance(settings.task, GymTaskConfig):
        raise ConfigError(f"task: expected a task for an arm, found kind {task.get('kind')}; give task=reach")
    return read_settings({**settings.composed, "task": {**task, "drive": {**task["drive"], "max_steps": ENDLESS}}})


def _say_episode(summary: EpisodeSummary) -> None:
    outcome = "success" if summary.success else f"stopped: {summary.stop_reason}"
    say(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps")
