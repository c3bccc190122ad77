import os
import struct
from dataclasses import replace

import pytest

from steadyhand.robot_envs.devices import gamepad
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.gamepad import Gamepad, GamepadLink
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import FakeClock, MonotonicClock
from steadyhand.runtime.config import compose

CONFIG = find_input(compose(["device=gamepad"])["device"]).settings
AXIS, BUTTON, FIRST = 2, 1, 0x80


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "js0"
    os.mkfifo(path)
    file = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield path, lambda value, kind, number: os.write(file, struct.pack("=IhBB", 0, value, kind, number))
    os.close(file)


FIRST_AXES = [0, 0, -32767, 0, 0, -32767, 0, 0]  # triggers rest at one end


@pytest.fixture
def opened(pipe):
    """The link to a gamepad whose axes stand like that at first."""
    links = []

    def open_link(axes=FIRST_AXES, buttons=()):
        for number, value in enumerate(axes):
            pipe[1](value, AXIS | FIRST, number)
        for number in buttons:
            pipe[1](1, BUTTON | FIRST, number)
        handle = Handle(CONFIG.mapping, FakeClock())
        link = GamepadLink(str(pipe[0]), handle, CONFIG.mapping, MonotonicClock())
        link.handle = handle
        links.append(link)
        return link

    yield open_link
    for link in links:
        link.close()


@pytest.fixture
def link(opened):
    return opened()


def test_a_stick_that_is_held_at_the_beginning_is_pushed_and_a_button_is_no_press(opened):
    link = opened([0, -32767, -32767, 0, 0, 0, 0, 0], buttons=[4])
    assert link.handle.state.rest_ns is None
    link.serve(0.01)
    assert link.handle.state.held == frozenset()
    assert link.handle.take_events() == ()


def test_triggers_that_mean_nothing_are_at_rest_wherever_they_stand(link):
    assert link.handle.state.axes == tuple(FIRST_AXES)
    assert link.handle.state.rest_ns is not None


@pytest.mark.parametrize(("found", "missing"), [(2, "3, 4, 6, 7"), (7, "7"), (0, "0, 1, 3, 4, 6, 7")])
def test_a_gamepad_without_all_mapped_axes_is_refused_by_their_numbers(opened, monkeypatch, found, missing):
    monkeypatch.setattr(gamepad, "START_S", 0.05)
    with pytest.raises(OSError, match=f"expected axis {missing} of device.mapping.axes, found {found} axes"):
        opened(FIRST_AXES[:found])


def test_several_events_at_once_are_taken_in_order(pipe, link):
    _, send = pipe
    for value in (100, 200, -300):
        send(value, AXIS, 0)
    send(1, BUTTON, 4)
    link.serve(1.0)
    assert link.handle.state.axes == (-300, *FIRST_AXES[1:])
    assert link.handle.state.held == {"close"}


def test_without_events_it_returns(link):
    link.serve(0.001)
    assert link.handle.state.axes == tuple(FIRST_AXES)


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
        Gamepad(replace(CONFIG, path=str(tmp_path / "js*"))).connect()


def test_times_are_above_zero():
    with pytest.raises(ConfigError, match="retry_s"):
        find_input(compose(["device=gamepad", "device.retry_s=0"])["device"])
