"""A person without ROS: which keys are read, and that nothing waits where there is no person."""

import threading

import numpy as np
import pytest

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.events import Events
from steadyhand.actor.supervision.person_keys import PersonKeysConfig
from steadyhand.actor.supervision.supervise import supervised
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.make import make_corrector, make_onlooker
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

STILL = np.zeros(6, np.float32)
KEYS = build(ActorConfig, compose([])["actor"], "actor").person_keys.keys


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def env():
    env = make_robot_env("task=reach")
    yield env
    env.close()


def with_device(*overrides):
    return compose(["task=reach", *overrides])


def test_the_keyboard_device_gives_every_request_and_keeps_its_terminal(env, terminal):
    config = with_device("device=keyboard", f"device.terminal={terminal.path}")
    elsewhere = Terminal()
    keys = PersonKeysConfig(elsewhere.path, 0.02, KEYS)

    def make(device):
        return make_onlooker(config, env, device)

    with supervised(config["device"], keys, env, make, lambda: False, Events()) as person:
        assert elsewhere.shows_keys()  # the keyboard's keys are read by the device alone
        assert not terminal.shows_keys()
        started = threading.Event()
        thread = threading.Thread(target=lambda: (person.env.reset(seed=0), started.set()))
        thread.start()
        assert not started.wait(0.2)
        terminal.type("\r")
        assert started.wait(20.0)
        thread.join()
        assert person.operator.may_resume("")
        terminal.type("y")
        wait_until(lambda: person.env.step(STILL)[4]["success"])
        person.env.reset(seed=1)
        terminal.type(" ")
        wait_until(lambda: env.stop_reason == "person_stop")
        assert not person.operator.may_resume("person_stop")
        assert person.env.step(STILL)[4]["stop_reason"] == "person_stop"
        terminal.type("\r")
        wait_until(lambda: person.operator.may_resume("person_stop"))
        person.env.reset(seed=2)
        terminal.type("p")
        wait_until(lambda: person.operator.act({}, {}, None) is None and person.operator.wants_park())
    assert terminal.shows_keys()
    elsewhere.close()


class Cap:
    """A device without buttons of its own."""

    def __init__(self):
        self.closed = False

    def listen(self, heard):
        self.heard = heard

    def close(self):
        self.closed = True


def test_beside_another_device_the_terminals_keys_are_requests(env, terminal, monkeypatch):
    cap = Cap()
    monkeypatch.setattr("steadyhand.actor.supervision.supervise.make_device", lambda values: cap)
    keys = PersonKeysConfig(terminal.path, 0.02, KEYS)
    gamepad = with_device("device=gamepad")["device"]
    with supervised(gamepad, keys, env, lambda device: NoOperator(), lambda: False, Events()) as person:
        terminal.type("\r")
        wait_until(lambda: person.operator.may_resume(""))
        person.env.reset(seed=0)
        terminal.type("n")
        wait_until(lambda: person.env.step(STILL)[2])
        person.env.reset(seed=1)
        cap.heard("again")
        assert person.env.step(STILL)[3]
        terminal.type("p")
        wait_until(person.operator.wants_park)
        terminal.type(" ")
        wait_until(lambda: env.stop_reason == "person_stop")
    assert terminal.shows_keys()


@pytest.mark.parametrize("device", ["scripted", "none"])
def test_without_a_person_nothing_waits_and_no_key_is_read(env, terminal, device):
    config = with_device(f"device={device}")
    keys = PersonKeysConfig(terminal.path, 0.02, KEYS)

    def make(device):
        assert device is None
        return make_corrector(config, env, 0, device)

    with supervised(config["device"], keys, env, make, lambda: False, Events()) as person:
        assert person.env is env
        assert not isinstance(person.env, SupervisedEnv)
        assert terminal.shows_keys()
        person.env.reset(seed=0)


def test_a_device_that_is_not_there_leaves_the_terminal_as_it_was(env, terminal):
    config = with_device("device=spacemouse", "device.socket=/nowhere/spnav.sock")
    keys = PersonKeysConfig(terminal.path, 0.02, KEYS)

    def make(device):
        return make_onlooker(config, env, device)

    with (
        pytest.raises(DeviceError, match="is spacenavd running"),
        supervised(config["device"], keys, env, make, lambda: False, Events()),
    ):
        pass
    assert terminal.shows_keys()
