"""The operator beside an environment that this process drives itself, without ROS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import gymnasium

from steadyhand.actor.events import Events, MotionDisabled, VerdictGiven, Waiting
from steadyhand.actor.supervision.motion_enable import Verdict
from steadyhand.actor.supervision.supervise import Supervised, supervised
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import input_name
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.devices.web import WebDevice
from steadyhand.settings import Settings
from steadyhand.terminal import say

if TYPE_CHECKING:
    from steadyhand.actor.web.operator_page import OperatorPage

__all__ = ["make_page", "say_requests", "wants_page", "with_person"]


@contextmanager
def with_person(
    settings: Settings,
    env: gymnasium.Env[Any, Any],
    make_operator: Callable[[Device | None], Operator],
    stop: Callable[[], bool],
    events: Events,
    countdown_s: int = 0,
    mark: Callable[[Verdict], None] | None = None,
) -> Iterator[Supervised]:
    """Supervise `env` according to the settings, and serve the operator page if they ask for it; see `supervised`.

    Raises:
        ConfigError: The device is not one that an operator holds, or it cannot make actions of this kind.
        DeviceError: The operator's device is not there.
        WebError: The operator page cannot be served.
    """
    device, keys, page = settings.composed["device"], settings.actor.person_keys, make_page(settings, events)
    with (
        supervised(device, keys, env, make_operator, stop, events, page, countdown_s, mark) as person,
        ExitStack() as served,
    ):
        if page is not None:
            served.callback(page.stop)
            page.start()
            say(f"operator page: {page.address}")
        yield person


def make_page(settings: Settings, events: Events) -> OperatorPage | None:
    """Return the operator page that the settings ask for, not yet started; None if they ask for none.

    Raises:
        ModuleNotFoundError: The package websockets is missing.
    """
    config = settings.actor.web
    if config is None or not wants_page(settings):
        return None
    from steadyhand.actor.web.operator_page import OperatorPage  # websockets is an optional package

    title = settings.run_name or str(settings.composed["task"].get("entry_point", "")).partition(":")[2]
    return OperatorPage(config, events, title, settings.run_root)


def wants_page(settings: Settings) -> bool:
    """Return whether the settings ask for the operator page."""
    config, device = settings.actor.web, settings.composed["device"]
    return config is not None and (config.enabled or input_name(device) == WebDevice.name)


def say_requests(events: Events) -> None:
    """Print a line when the program waits for the operator, and when a request of the operator took effect."""
    events.subscribe(Waiting, _say_wait)
    events.subscribe(MotionDisabled, lambda event: say(f"motion disabled: {event.reason}"))
    events.subscribe(VerdictGiven, lambda event: say(f"verdict of the person: {event.verdict}"))


def _say_wait(event: Waiting) -> None:
    if event.reason:
        say(f"waiting for {event.reason}")
