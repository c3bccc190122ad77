import math

import pytest

from robot_envs.devices.axes_device import AxesDevice
from robot_envs.devices.device import DeviceError
from robot_envs.devices.handle import Handle
from robot_envs.devices.mapping import MappingConfig
from runtime.clock import FakeClock

MAPPING = MappingConfig((0, 1, 2, 3, 4, 5), (1.0,) * 6, 100.0, 0.1, {"close": (0,), "resume": (0, 1)})


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
        self.handle = Handle(MAPPING.buttons, self.clock)
        self.device = AxesDevice(
            "device", "expected a device, found none", self.reader, self.handle, MAPPING, self.clock
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
    bench.handle.move([50.0])
    bench.clock.advance_ns(250_000_000)
    assert device.poll().age_s == pytest.approx(0.25)
    bench.handle.move([9.0])  # within the dead zone
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
    bench.handle.move([50.0])
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
