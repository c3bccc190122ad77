"""Supervision without ROS: a person's device and the keys of the terminal around an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import gymnasium

from steadyhand.actor.events import Events
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.person_keys import PersonKeys, PersonKeysConfig
from steadyhand.actor.supervision.requests import Requests
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import held_by_person, input_name, make_device
from steadyhand.robot_envs.devices.mapping import RESUME
from steadyhand.robot_envs.devices.operator import Operator

__all__ = ["Supervised", "supervised"]

KEYBOARD = "keyboard"


class Supervised(NamedTuple):
    """An environment and its operator, under a person's supervision where there is a person."""

    env: gymnasium.Env[Any, Any]
    operator: Operator
    acting: Operator  # the operator that is supervised, with the device in hand


@contextmanager
def supervised(
    device_config: Mapping[str, Any],
    keys: PersonKeysConfig | None,
    env: gymnasium.Env[Any, Any],
    make_operator: Callable[[Device | None], Operator],
    ending: Callable[[], bool],
    events: Events,
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
    guarded = SupervisedEnv(env, motion, ending, events, _how(device_config, own_keys))
    requests = Requests(motion, guarded.stop)
    device = make_device(device_config)
    device.listen(requests.press_button)
    acting = make_operator(device)
    terminal = None if own_keys is None else PersonKeys(own_keys, requests.press)
    try:
        if terminal is not None:
            terminal.start()
        yield Supervised(guarded, SupervisedOperator(acting, motion), acting)
    finally:
        if terminal is not None:
            terminal.close()
        acting.close()


def _how(device_config: Mapping[str, Any], keys: PersonKeysConfig | None) -> str:
    """Return how a person enables motion, for a line to the person."""
    name = input_name(device_config)
    if name == KEYBOARD:
        return str(device_config["buttons"].get(RESUME, RESUME))
    by_device = f"the {name}'s {RESUME} button"
    return by_device if keys is None or RESUME not in keys.keys else f"{keys.keys[RESUME]} or {by_device}"
