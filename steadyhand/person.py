"""The person beside an environment that this process drives itself, without ROS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.events import Events, MotionDisabled, VerdictGiven, Waiting
from steadyhand.actor.supervision.supervise import Supervised, supervised
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.runtime.config import build
from steadyhand.terminal import say

__all__ = ["say_requests", "with_person"]


@contextmanager
def with_person(
    config: Mapping[str, Any],
    env: gymnasium.Env[Any, Any],
    make_operator: Callable[[Device | None], Operator],
    stop: Callable[[], bool],
    events: Events,
) -> Iterator[Supervised]:
    """Supervise `env` as the composed configuration says; see `supervised`.

    Raises:
        ConfigError: A value of the device or of the actor is wrong.
        DeviceError: The person's device is not there.
    """
    keys = build(ActorConfig, config["actor"], "actor").person_keys
    with supervised(config["device"], keys, env, make_operator, stop, events) as person:
        yield person


def say_requests(events: Events) -> None:
    """Print a line when something waits for the person, and when a request of the person took effect."""
    events.subscribe(Waiting, _say_wait)
    events.subscribe(MotionDisabled, lambda event: say(f"motion disabled: {event.reason}"))
    events.subscribe(VerdictGiven, lambda event: say(f"verdict of the person: {event.verdict}"))


def _say_wait(event: Waiting) -> None:
    if event.reason:
        say(f"waiting for {event.reason}")
