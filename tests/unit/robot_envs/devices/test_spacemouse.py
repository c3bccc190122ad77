"""What befalls a SpaceMouse, with the real daemon."""

import math
import signal
import socket
from dataclasses import replace

import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.devices.spacemouse import SpaceMouse
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.spacenav_kit import Cap, needs_spacenavd
from tests.transport_kit import wait_until

pytestmark = pytest.mark.realtime

FORWARD, BACK_RIGHT_TURNED = (0, 0, 300, 0, 0, 0), (350, 0, -350, 0, 350, 0)


def config_for(path, **changes):
    values = compose(["device=spacemouse"])["device"] | {"socket": str(path), "retry_s": 0.02} | changes
    return find_input(values).settings


@pytest.fixture
def mouse(daemon, cap):
    mouse = SpaceMouse(config_for(daemon.socket))
    mouse.connect()
    yield mouse
    mouse.close()


@needs_spacenavd
def test_every_axis_arrives_where_the_mapping_says(cap, mouse):
    cap.push(BACK_RIGHT_TURNED)
    wait_until(lambda: mouse.poll().engaged[0])
    assert mouse.poll().twist[0] == pytest.approx([-1.0, 1.0, 0.0, 0.0, 0.0, -1.0], abs=0.01)


@needs_spacenavd
def test_buttons_drive_the_gripper(cap, mouse):
    for button, wish in ((0, -1.0), (1, 1.0)):
        cap.buttons(button)
        wait_until(lambda wish=wish: mouse.poll().gripper[0] == wish)
        assert mouse.poll().engaged[0]
        cap.buttons()
        wait_until(lambda: not mouse.poll().engaged[0])


@needs_spacenavd
def test_a_pushed_cap_that_the_daemon_hears_no_more_grows_old(cap, mouse):
    """A dead serial line is the silence that no message tells of: the daemon goes on, and so does the socket."""
    cap.push(FORWARD)
    wait_until(lambda: mouse.poll().engaged[0])
    cap.unplug()
    wait_until(lambda: mouse.poll().age_s > 0.5)
    assert mouse.poll().engaged[0]
    assert math.isfinite(mouse.poll().age_s)


@needs_spacenavd
def test_a_device_that_the_daemon_removes_is_lost_at_once(daemon, cap, mouse):
    cap.push(FORWARD)
    wait_until(lambda: mouse.poll().engaged[0])
    daemon.configure(None)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: math.isinf(mouse.poll().age_s))
    assert not mouse.poll().engaged[0]


@needs_spacenavd
def test_a_device_that_the_daemon_finds_is_found(daemon, mouse):
    daemon.configure(None)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: math.isinf(mouse.poll().age_s))
    other = Cap()
    daemon.configure(other)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: mouse.poll().age_s == 0.0)
    other.push(FORWARD)
    wait_until(lambda: mouse.poll().engaged[0])
    daemon.kill()
    other.unplug()


@needs_spacenavd
def test_a_daemon_that_hangs_is_lost_even_while_the_cap_is_at_rest(daemon, mouse):
    assert mouse.poll().age_s == 0.0
    daemon.signal(signal.SIGSTOP)
    wait_until(lambda: math.isinf(mouse.poll().age_s))
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: mouse.poll().age_s == 0.0)


@needs_spacenavd
def test_signs_of_life_are_not_written_into_the_daemons_log(daemon, mouse, tmp_path):
    log = tmp_path / "spnavd.log"
    before = log.stat().st_size
    daemon.signal(signal.SIGSTOP)  # makes sure that signs of life are asked for
    wait_until(lambda: math.isinf(mouse.poll().age_s))
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: mouse.poll().age_s == 0.0)
    written = log.read_text()[before:]
    assert written.count("request") <= 2  # one a connection, for whether there is a device


@needs_spacenavd
def test_a_daemon_without_a_device_is_refused(daemon):
    daemon.start(None)
    with pytest.raises(DeviceError, match="plug the SpaceMouse in"):
        SpaceMouse(config_for(daemon.socket)).connect()


def test_no_daemon_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(DeviceError, match="is spacenavd running"):
        SpaceMouse(config_for(tmp_path / "spnav.sock")).connect()


def test_a_daemon_that_is_too_old_is_refused(tmp_path):
    """Before version 1.0 it takes every word for a sensitivity, and answers nothing."""
    path = tmp_path / "spnav.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
        old.listen()
        with pytest.raises(DeviceError, match="is it version 1"):
            SpaceMouse(config_for(path, answer_s=0.05)).connect()


@pytest.mark.parametrize("name", ["max_age_s", "pulse_s", "answer_s", "retry_s", "neutral_s"])
def test_times_are_above_zero(name):
    with pytest.raises(ConfigError, match=name):
        config_for("x", **{name: 0.0})


def test_a_mapping_to_an_axis_that_no_cap_has_is_refused():
    mapping = compose(["device=spacemouse"])["device"]["mapping"] | {"axes": [2, 0, 1, 5, 3, 6]}
    with pytest.raises(ConfigError, match="expected numbers below 6, found 6"):
        config_for("x", mapping=mapping)


def test_the_mapping_can_be_changed_on_its_own():
    config = config_for("x")
    assert replace(config.mapping, dead_zone=0.0).twist([0, 0, 7]) == pytest.approx([0.02, 0, 0, 0, 0, 0])
