import os
import struct
from dataclasses import replace

import pytest

from robot_envs.devices.device import DeviceError
from robot_envs.devices.gamepad import GamepadConfig, GamepadLink, make_gamepad
from robot_envs.devices.handle import Handle
from runtime.clock import FakeClock
from runtime.config import ConfigError, build, compose

CONFIG = build(GamepadConfig, compose(["device=gamepad"])["device"])
AXIS, BUTTON, FIRST = 2, 1, 0x80


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "js0"
    os.mkfifo(path)
    file = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield path, lambda value, kind, number: os.write(file, struct.pack("=IhBB", 0, value, kind, number))
    os.close(file)


@pytest.fixture
def link(pipe):
    handle = Handle(CONFIG.mapping.buttons, FakeClock())
    link = GamepadLink(str(pipe[0]), handle)
    link.handle = handle
    yield link
    link.close()


def test_where_an_axis_stands_at_the_beginning_is_no_motion(pipe, link):
    _, send = pipe
    send(-32767, AXIS | FIRST, 2)
    send(1, BUTTON | FIRST, 4)
    link.serve(1.0)
    assert link.handle.state.axes == ()
    assert link.handle.state.held == frozenset()
    send(-32000, AXIS, 2)
    link.serve(1.0)
    assert link.handle.state.axes == (0.0, 0.0, -32000)


def test_several_events_at_once_are_taken_in_order(pipe, link):
    _, send = pipe
    for value in (100, 200, -300):
        send(value, AXIS, 0)
    send(1, BUTTON, 4)
    link.serve(1.0)
    assert link.handle.state.axes == (-300,)
    assert link.handle.state.held == {"close"}


def test_without_events_it_returns(link):
    link.serve(0.001)
    assert link.handle.state.axes == ()


def test_every_stick_of_the_usual_pad_moves_the_tool():
    forward = CONFIG.mapping.twist([0, -32767, 0, 0, 0, 0, 0, 0])
    right = CONFIG.mapping.twist([32767, 0, 0, 0, 0, 0, 0, 0])
    down = CONFIG.mapping.twist([0, 0, 0, 0, 32767, 0, 0, 0])
    turn_right = CONFIG.mapping.twist([0, 0, 0, 32767, 0, 0, 0, 0])
    assert [list(twist) for twist in (forward, right, down, turn_right)] == [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 1],
    ]


def test_no_gamepad_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(DeviceError, match="plug it in"):
        make_gamepad(replace(CONFIG, path=str(tmp_path / "js*"))).connect()


def test_times_are_above_zero():
    with pytest.raises(ConfigError, match="retry_s"):
        build(GamepadConfig, compose(["device=gamepad", "device.retry_s=0"])["device"])
