import math

import pytest

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.runtime.clock import FakeClock

NEUTRAL_S = 0.1
MAPPING = MappingConfig(
    (0, 1, 2, 3, 4, 5), (1.0,) * 6, 100.0, 0.1, {"close": (0,), "open": (1,), "resume": (0, 1), "park": (2,)}
)
PUSHED = [50.0] + [0.0] * 5


class Idle:
    """A reader that leaves the device to the test."""

    running = False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class Bench:
    def __init__(self):
        self.clock, self.reader = FakeClock(), Idle()
        self.handle = Handle(MAPPING, self.clock)
        self.device = AxesDevice(
            "device", "expected a device, found none", self.reader, self.handle, MAPPING, self.clock, NEUTRAL_S
        )

    def connected(self):
        self.handle.found()
        self.device.connect()
        return self.device


def test_it_does_not_begin_without_a_device():
    bench = Bench()
    with pytest.raises(DeviceError, match="found none"):
        bench.device.connect()
    assert not bench.reader.running


def test_only_a_device_off_centre_grows_old():
    bench = Bench()
    device = bench.connected()
    bench.clock.advance_ns(3_600_000_000_000)
    assert device.poll().age_s == 0.0
    bench.handle.move(PUSHED)
    bench.clock.advance_ns(250_000_000)
    assert device.poll().age_s == pytest.approx(0.25)
    bench.handle.move([9.0] + [0.0] * 5)  # within the dead zone
    bench.clock.advance_ns(3_600_000_000_000)
    assert device.poll().age_s == 0.0


def test_a_button_alone_engages_and_does_not_grow_old():
    bench = Bench()
    device = bench.connected()
    bench.handle.press(0, True)
    bench.clock.advance_ns(3_600_000_000_000)
    reading = device.poll()
    assert reading.engaged[0]
    assert reading.gripper[0] == -1.0
    assert reading.age_s == 0.0


def test_a_loss_that_was_mended_between_two_readings_is_told_once():
    bench = Bench()
    device = bench.connected()
    bench.handle.move(PUSHED)
    assert device.poll().engaged[0]
    bench.handle.lose()
    bench.handle.found()
    first, second = device.poll(), device.poll()
    assert math.isinf(first.age_s)
    assert not first.engaged[0]
    assert second.age_s == 0.0


def test_losses_before_it_was_connected_do_not_count():
    bench = Bench()
    bench.handle.found()
    bench.handle.lose()
    assert bench.connected().poll().age_s == 0.0


def test_a_device_is_neutral_once_it_was_at_rest_for_a_while():
    bench = Bench()
    device = bench.connected()
    assert not device.poll().neutral  # it has only just been found
    bench.clock.advance_ns(round(NEUTRAL_S * 1e9))
    assert device.poll().neutral
    bench.handle.move(PUSHED)
    assert not device.poll().neutral
    bench.handle.move([0.0] * 6)
    bench.clock.advance_ns(round(NEUTRAL_S * 0.5e9))
    bench.handle.move([1.0] * 6)  # within the dead zone
    assert not device.poll().neutral
    bench.clock.advance_ns(round(NEUTRAL_S * 0.5e9))
    assert device.poll().neutral


def test_a_held_button_is_not_neutral():
    bench = Bench()
    device = bench.connected()
    bench.handle.press(0, True)
    bench.clock.advance_ns(3_600_000_000_000)
    assert not device.poll().neutral
    bench.handle.press(0, False)
    bench.clock.advance_ns(round(NEUTRAL_S * 1e9))
    device.poll()
    assert device.poll().neutral


@pytest.mark.parametrize("axes", [[], [50.0], [50.0] * 5, [math.nan] * 6, [0.0] * 5 + [math.inf]])
def test_a_device_that_does_not_say_where_all_its_axes_are_is_lost(axes, caplog):
    bench = Bench()
    device = bench.connected()
    bench.handle.move(PUSHED)
    bench.handle.press(0, True)
    assert device.poll().engaged[0]
    for _ in range(3):
        bench.handle.move(axes)
        reading = device.poll()
        assert math.isinf(reading.age_s)
        assert not reading.engaged.any()
        assert not reading.twist.any()
        assert not reading.gripper.any()
    assert len(caplog.messages) == 1
    assert "expected" in caplog.messages[0]
    bench.handle.move([0.0] * 6)
    assert device.poll().age_s == 0.0
    assert not device.poll().gripper.any()  # what was down before the loss is forgotten


def test_an_axis_that_means_nothing_may_say_anything():
    bench = Bench()
    device = bench.connected()
    bench.handle.move([*PUSHED, math.nan])
    assert device.poll().engaged[0]


def test_a_press_between_two_readings_is_not_missed():
    bench = Bench()
    device = bench.connected()
    for button, gripper in ((0, -1.0), (1, 1.0)):
        bench.handle.press(button, True)
        bench.handle.press(button, False)
        assert device.poll().gripper[0] == gripper
        assert device.poll().gripper[0] == 0.0


def test_two_buttons_together_are_no_short_press_of_the_first():
    bench = Bench()
    device = bench.connected()
    for button, pressed in ((0, True), (1, True), (0, False), (1, False)):
        bench.handle.press(button, pressed)
    reading = device.poll()
    assert reading.events[-1] == "resume"
    assert not reading.gripper.any()
    assert not reading.engaged.any()
