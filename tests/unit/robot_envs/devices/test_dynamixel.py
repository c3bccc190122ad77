"""The servos of a leader: the real dynamixel-sdk on an emulated bus."""

import math
import sys

import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.dynamixel import DynamixelConfig, DynamixelSource, Lever
from steadyhand.robot_envs.mock.fr3 import FR3
from tests.leader_kit import BUTTON, BUTTON_PRESSED, HOME, TRIGGER, TRIGGER_PRESSED, TRIGGER_RELEASED, Arm, Bus

pytest.importorskip("dynamixel_sdk", reason="needs dynamixel-sdk: pip install '.[leader]'")

RESOLUTION = 2 * math.pi / 4096
SIGNS, OFFSETS = (1, -1, 1, 1, 1, -1, 1), tuple(number * math.pi / 2 for number in (3, 2, 1, 4, 0, 3, 4))


def config(path, **changes):
    values = {
        "port": str(path),
        "baud": 57600,
        "ids": tuple(range(1, 8)),
        "signs": SIGNS,
        "offsets_rad": OFFSETS,
        "trigger": Lever(TRIGGER, TRIGGER_RELEASED, TRIGGER_PRESSED),
        "buttons": (Lever(BUTTON, 0.0, 1.0), Lever(BUTTON + 1, 0.0, 1.0)),
        "misses": 3,
    }
    return DynamixelConfig(**values | changes)


@pytest.fixture
def bus(tmp_path):
    bus = Bus(tmp_path / "leader", Arm(DhChain(FR3.dh, np.zeros(6)), SIGNS, OFFSETS))
    yield bus
    if bus.path.is_symlink():
        bus.unplug()


@pytest.fixture
def source(bus):
    source = DynamixelSource(config(bus.path))
    yield source
    source.close()


def test_joints_are_the_servos_less_their_offsets_in_the_followers_sense(bus, source):
    np.testing.assert_allclose(source.open().joints_rad, HOME, atol=RESOLUTION)
    bus.arm.joints = np.array([-2.0, 1.0, -0.5, -3.0, 2.5, 4.0, -1.0])  # below zero and beyond a turn at the servos
    np.testing.assert_allclose(source.read().joints_rad, bus.arm.joints, atol=RESOLUTION)


def test_levers_are_shares_and_buttons(bus, source):
    reading = source.open()
    assert reading.squeezed == pytest.approx(0.0, abs=0.01)
    assert reading.down == frozenset()
    bus.arm.levers |= {TRIGGER: (TRIGGER_RELEASED + TRIGGER_PRESSED) / 2, BUTTON + 1: BUTTON_PRESSED}
    reading = source.read()
    assert reading.squeezed == pytest.approx(0.5, abs=0.01)
    assert reading.down == {1}


def test_a_servo_that_does_not_answer_is_named(bus, source):
    bus.arm.silent = {3, TRIGGER}
    with pytest.raises(
        OSError, match=r"expected answers of servos 1, 2, 3, .*, found none of 3, 8; switch the power on"
    ):
        source.open()


def test_a_missed_answer_is_no_reading_and_three_are_a_loss(bus, source):
    source.open()
    bus.arm.silent = {5}
    assert source.read() is None
    bus.arm.silent = set()
    assert source.read() is not None
    bus.arm.silent = {5}
    assert [source.read(), source.read()] == [None, None]
    with pytest.raises(OSError, match="no answer of the servos in 3 readings"):
        source.read()


def test_an_unplugged_bus_is_a_loss(bus, source):
    source.open()
    bus.unplug()
    with pytest.raises(OSError, match=r".+"):
        source.read()


def test_a_bus_is_not_opened_for_both_arms(bus, source):
    source.open()
    with pytest.raises(OSError, match="expected a leader of its own for each arm, found it in use"):
        DynamixelSource(config(bus.path)).open()


def test_a_missing_package_is_named(bus, source, monkeypatch):
    monkeypatch.setitem(sys.modules, "dynamixel_sdk", None)
    with pytest.raises(
        DeviceError, match=r"expected the package dynamixel-sdk, found none; pip install '\.\[leader\]'"
    ):
        source.open()


def test_a_missing_port_and_an_odd_speed_are_refused(tmp_path, bus):
    with pytest.raises(OSError, match="nothing-here"):
        DynamixelSource(config(tmp_path / "nothing-here")).open()
    with pytest.raises(OSError, match="baud: expected a speed of the servos"):
        DynamixelSource(config(bus.path, baud=57601)).open()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signs": (1, 2, 1, 1, 1, 1, 1)}, "signs"),
        ({"offsets_rad": (0.0,)}, "offsets_rad"),
        ({"ids": (1, 2, 3, 4, 5, 6, 300)}, "ids"),
        ({"ids": (1, 2, 3, 4, 5, 6, 8)}, "each servo once"),
        ({"misses": 0}, "misses"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path, changes, reason):
    with pytest.raises(ValueError, match=reason):
        config(tmp_path, **changes)


def test_a_lever_moves_between_two_positions():
    with pytest.raises(ValueError, match="pressed_rad"):
        Lever(8, 1.0, 1.0)
