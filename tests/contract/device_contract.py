"""What every input device must do. A test class inherits `DeviceContract` and gives a device and a hand for it."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from tests.transport_kit import CLOCK, wait_until


class DeviceContract:
    """`make_device` gives an unconnected device; the other methods are what a person does with it.

    `push` moves the tool along +x and goes on until `let_go`.
    """

    max_age_s: float  # a reading older than this counts for nothing

    def make_device(self):
        raise NotImplementedError("a test of a device says how to make one")

    def plug_in(self) -> None:
        raise NotImplementedError("a test of a device says how it is plugged in")

    def unplug(self) -> None:
        raise NotImplementedError("a test of a device says how it is unplugged")

    def push(self) -> None:
        raise NotImplementedError("a test of a device says how it is pushed")

    def let_go(self) -> None:
        raise NotImplementedError("a test of a device says how it is let go")

    def press_resume(self) -> None:
        raise NotImplementedError("a test of a device says how its resume button is pressed and let go")

    def open_again(self, device) -> None:
        """Connect once more, with what the device's side says at that."""
        device.connect()

    @pytest.fixture
    def device(self):
        self.plug_in()
        device = self.make_device()
        device.connect()
        yield device
        device.close()
        self.unplug()

    def test_refuses_before_connect(self):
        with pytest.raises(DeviceError, match="connect"):
            self.make_device().poll()

    def test_refuses_to_connect_to_nothing(self):
        device = self.make_device()
        with pytest.raises(DeviceError):
            device.connect()
        with pytest.raises(DeviceError, match="connect"):
            device.poll()

    def test_a_device_at_rest_is_neither_engaged_nor_silent(self, device):
        until_ns = CLOCK.now_ns() + round(1.5 * self.max_age_s * 1e9)
        while CLOCK.now_ns() < until_ns:
            reading = device.poll()
            assert not reading.engaged.any()
            assert not reading.twist.any()
            assert reading.age_s == 0.0
            CLOCK.sleep_until(CLOCK.now_ns() + 5_000_000)

    def test_a_reading_has_the_promised_shapes_and_bounds(self, device):
        self.push()
        wait_until(lambda: device.poll().engaged.any())
        reading = device.poll()
        assert (reading.engaged.shape, reading.engaged.dtype) == ((1,), np.bool_)
        assert (reading.twist.shape, reading.gripper.shape) == ((1, 6), (1,))
        assert np.abs(reading.twist).max() <= 1.0
        assert isinstance(reading.events, tuple)

    def test_pushed_it_moves_and_let_go_it_does_not(self, device):
        self.push()
        wait_until(lambda: device.poll().twist[0, 0] > 0.1)
        reading = device.poll()
        assert reading.engaged[0]
        assert reading.age_s <= self.max_age_s
        self.let_go()
        wait_until(lambda: not device.poll().engaged.any())
        assert device.poll().age_s == 0.0

    def test_it_is_neutral_only_a_while_after_it_was_let_go(self, device):
        wait_until(lambda: device.poll().neutral)
        self.push()
        wait_until(lambda: device.poll().engaged.any())
        assert not device.poll().neutral
        self.let_go()
        wait_until(lambda: not device.poll().engaged.any())
        wait_until(lambda: device.poll().neutral)
        self.unplug()
        wait_until(lambda: math.isinf(device.poll().age_s))
        assert not device.poll().neutral

    def test_a_button_is_told_once(self, device):
        self.press_resume()
        events = []
        wait_until(lambda: events.extend(device.poll().events) or "resume" in events)
        self.push()  # whatever comes later, the button is not told again
        wait_until(lambda: events.extend(device.poll().events) or device.poll().engaged.any())
        assert events.count("resume") == 1

    def test_a_press_is_told_at_once_without_a_poll(self):
        self.plug_in()
        device, heard = self.make_device(), []
        device.listen(heard.append)
        device.connect()
        self.press_resume()
        wait_until(lambda: "resume" in heard)
        assert "resume" in device.poll().events  # and is still reported
        device.close()

    def test_unplugged_while_pushed_it_falls_silent_and_stays_so(self, device):
        self.push()
        wait_until(lambda: device.poll().engaged.any())
        self.unplug()
        wait_until(lambda: device.poll().age_s > self.max_age_s)
        wait_until(lambda: math.isinf(device.poll().age_s))
        reading = device.poll()
        assert not reading.engaged.any()
        assert not reading.twist.any()

    def test_plugged_in_again_it_is_at_rest_until_somebody_pushes(self, device):
        self.push()
        wait_until(lambda: device.poll().engaged.any())
        self.unplug()
        wait_until(lambda: math.isinf(device.poll().age_s))
        self.plug_in()
        wait_until(lambda: device.poll().age_s == 0.0)
        assert not device.poll().engaged.any()
        self.push()
        wait_until(lambda: device.poll().twist[0, 0] > 0.1)

    def test_a_reading_never_waits(self, device):
        began_ns = CLOCK.now_ns()
        for _ in range(1000):
            device.poll()
        assert CLOCK.now_ns() - began_ns < 1_000_000_000
        self.unplug()
        began_ns = CLOCK.now_ns()
        for _ in range(1000):
            device.poll()
        assert CLOCK.now_ns() - began_ns < 1_000_000_000

    def test_closed_it_leaves_nothing_behind_and_can_be_opened_again(self, device):
        device.close()
        device.close()
        assert not [thread for thread in threading.enumerate() if thread.name.endswith(" reader")]
        with pytest.raises(DeviceError, match="connect"):
            device.poll()
        self.open_again(device)
        assert device.poll().age_s == 0.0
