"""The operator beside an environment that this process drives itself, without ROS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium

from steadyhand.actor.events import Events, MotionDisabled, VerdictGiven, Waiting
from steadyhand.actor.supervision.supervise import Supervised, supervised
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["say_requests", "with_person"]


@contextmanager
def with_person(
    settings: Settings,
    env: gymnasium.Env[Any, Any],
    make_operator: Callable[[Device | None], Operator],
    stop: Callable[[], bool],
    events: Events,
) -> Iterator[Supervised]:
    """Supervise `env` according to the settings; see `supervised`.

    Raises:
        ConfigError: The device is not one that an operator holds, or it cannot make actions of this kind.
        DeviceError: The operator's device is not there.
    """
    device, keys = settings.composed["device"], settings.actor.person_keys
    with supervised(device, keys, env, make_operator, stop, events) as person:
        yield person


def say_requests(events: Events) -> None:
    """Print a line when the program waits for the operator, and when a request of the operator took effect."""
    events.subscribe(Waiting, _say_wait)
    events.subscribe(MotionDisabled, lambda event: say(f"motion disabled: {event.reason}"))
    events.subscribe(VerdictGiven, lambda event: say(f"verdict of the person: {event.verdict}"))


def _say_wait(event: Waiting) -> None:
    if event.reason:
        say(f"waiting for {event.reason}")
