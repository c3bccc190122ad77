"""Supervision without ROS: a person's device and the keys of the terminal around an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Protocol

import gymnasium

from steadyhand.actor.events import Events
from steadyhand.actor.supervision.motion_enable import MotionEnable, Verdict
from steadyhand.actor.supervision.person_keys import PersonKeys, PersonKeysConfig
from steadyhand.actor.supervision.requests import Requests
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import held_by_person, input_name, make_device
from steadyhand.robot_envs.devices.mapping import RESUME
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.devices.web import WebDevice

__all__ = ["Controls", "Face", "Supervised", "supervised"]

KEYBOARD = "keyboard"


class Controls(NamedTuple):
    """The person's controls, for a further face of the supervision beside device and terminal."""

    press: Callable[[str], None]  # takes the name of a request, from any thread; never raises
    motion: MotionEnable
    device: Device | None  # None without one: the person has the requests alone
    keys: Mapping[str, str]  # key by request, for a face with keys
    recover: Callable[[], None] | None = None  # recovers the robot from a fault; None = no request does that


class Face(Protocol):
    """A face of the supervision, such as the operator page."""

    def open(self, controls: Controls) -> None:
        """Take the controls; called before the device is connected."""

    def close(self) -> None:
        """Let go of the controls."""


class Supervised(NamedTuple):
    """An environment and its operator, under a person's supervision where there is a person."""

    env: gymnasium.Env[Any, Any]
    operator: Operator
    acting: Operator  # the operator that is supervised, with the device in hand
    motion: MotionEnable | None = None  # the person's enable; None without a person


@contextmanager
def supervised(
    device_config: Mapping[str, Any],
    keys: PersonKeysConfig | None,
    env: gymnasium.Env[Any, Any],
    make_operator: Callable[[Device | None], Operator],
    ending: Callable[[], bool],
    events: Events,
    face: Face | None = None,
    countdown_s: int = 0,
    mark: Callable[[Verdict], None] | None = None,
) -> Iterator[Supervised]:
    """Put `env` and its operator under the supervision of the person with the configured device; close the operator.

    With a scripted operator, or none, both stay as they are: nothing waits for a person and no key is read. With the
    keyboard as the device, all its keys are the device's; else the terminal's keys are requests too.

    Args:
        device_config: The `device` group.
        keys: Keys of the terminal; None = none are read.
        env: The environment, as `robot_envs.make_env` returns it.
        make_operator: Makes the operator with a connected device; None = as the configuration says.
        ending: Returns True when the wait for an enable is to end.
        events: Gets the person's actions.
        face: A further face of the supervision; None = device and terminal are the only ones.
        countdown_s: Whole seconds between the person's enable and the start of an episode.
        mark: Takes the person's success and failure, which then end no episode; None = they do.

    Raises:
        DeviceError: The person's device is not there.
    """
    if not held_by_person(device_config):
        operator = make_operator(None)
        try:
            yield Supervised(env, operator, operator)
        finally:
            operator.close()
        return
    motion = MotionEnable(events)
    own_keys = keys if input_name(device_config) != KEYBOARD else None
    guarded = SupervisedEnv(env, motion, ending, events, _how(device_config, own_keys, face), countdown_s)
    requests = Requests(motion, guarded.stop, mark, events)
    device = make_device(device_config)
    device.listen(requests.press_button)
    with ExitStack() as closing:
        if face is not None:
            face.open(_controls(device, keys, requests, motion))
            closing.callback(face.close)
        acting = make_operator(device)
        closing.callback(acting.close)
        if own_keys is not None:
            terminal = PersonKeys(own_keys, requests.press)
            closing.callback(terminal.close)
            terminal.start()
        yield Supervised(guarded, SupervisedOperator(acting, motion), acting, motion)


def _controls(device: Device, keys: PersonKeysConfig | None, requests: Requests, motion: MotionEnable) -> Controls:
    if isinstance(device, WebDevice):
        return Controls(device.press, motion, device, device.config.buttons)
    return Controls(requests.press, motion, device, {} if keys is None else keys.keys)


def _how(device_config: Mapping[str, Any], keys: PersonKeysConfig | None, face: Face | None) -> str:
    """Return how a person enables motion, for a line to the person."""
    how = _by_hand(device_config, keys)
    return how if face is None or input_name(device_config) == WebDevice.name else f"{how} or the operator page"


def _by_hand(device_config: Mapping[str, Any], keys: PersonKeysConfig | None) -> str:
    name = input_name(device_config)
    if name == KEYBOARD:
        return str(device_config["buttons"].get(RESUME, RESUME))
    by_device = "the operator page" if name == WebDevice.name else f"the {name}'s {RESUME} button"
    return by_device if keys is None or RESUME not in keys.keys else f"{keys.keys[RESUME]} or {by_device}"
