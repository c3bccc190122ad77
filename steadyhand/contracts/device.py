"""Conformance tests of an input device."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import Device, DeviceError
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["DeviceContract"]

CLOCK = MonotonicClock()
POLL_NS = 2_000_000
SLOWEST_S = 10.0


class DeviceContract:
    """Base class of a device's tests: derive and define how the device is made and handled.

    `push` moves the first tool along +x until `let_go`.

    Attributes:
        max_age_s: Age beyond which a reading is ignored, as in the device's YAML file.
    """

    max_age_s: float

    def make_device(self) -> Device:
        """Make the device, not yet connected."""
        raise NotImplementedError("a test of a device says how to make one")

    def plug_in(self) -> None:
        """Plug the device in."""
        raise NotImplementedError("a test of a device says how it is plugged in")

    def unplug(self) -> None:
        """Unplug the device, if it is plugged in."""
        raise NotImplementedError("a test of a device says how it is unplugged")

    def push(self) -> None:
        """Begin to push."""
        raise NotImplementedError("a test of a device says how it is pushed")

    def let_go(self) -> None:
        """End the push."""
        raise NotImplementedError("a test of a device says how it is let go")

    def press_resume(self) -> None:
        """Press and release the resume button."""
        raise NotImplementedError("a test of a device says how its resume button is pressed and let go")

    def open_again(self, device: Device) -> None:
        """Connect again, including the messages that the device sends on connection."""
        device.connect()

    @pytest.fixture
    def device(self) -> Iterator[Device]:
        """The device, plugged in and connected."""
        self.plug_in()
        device = self.make_device()
        device.connect()
        yield device
        device.close()
        self.unplug()

    def test_the_class_names_itself(self) -> None:
        """The device has an operator and a name for messages."""
        device = self.make_device()
        assert device.held_by_person
        assert device.name
        assert device.remedy
        assert device.settings_type is not None

    def test_refuses_before_connect(self) -> None:
        """A device that is not connected gives no reading."""
        with pytest.raises(DeviceError, match="connect"):
            self.make_device().poll()

    def test_refuses_to_connect_to_nothing(self) -> None:
        """`connect` raises if the device is missing, and leaves nothing connected."""
        device = self.make_device()
        with pytest.raises(DeviceError):
            device.connect()
        with pytest.raises(DeviceError, match="connect"):
            device.poll()

    def test_a_device_at_rest_is_neither_engaged_nor_silent(self, device: Device) -> None:
        """A device at rest is never silent."""
        until_ns = CLOCK.now_ns() + round(1.5 * self.max_age_s * 1e9)
        while CLOCK.now_ns() < until_ns:
            reading = device.poll()
            assert not reading.engaged.any()
            assert not reading.twist.any()
            assert reading.age_s == 0.0
            CLOCK.sleep_until(CLOCK.now_ns() + 5_000_000)

    def test_a_reading_has_the_promised_shapes_and_bounds(self, device: Device) -> None:
        """A reading of each arm, within [-1, 1]."""
        self.push()
        _wait_until(lambda: bool(device.poll().engaged.any()))
        reading = device.poll()
        assert reading.engaged.shape == (device.n_arms,)
        assert reading.engaged.dtype == np.bool_
        assert (reading.twist.shape, reading.gripper.shape) == ((device.n_arms, 6), (device.n_arms,))
        assert np.abs(reading.twist).max() <= 1.0
        assert isinstance(reading.events, tuple)

    def test_pushed_it_moves_and_let_go_it_does_not(self, device: Device) -> None:
        """A push engages the device, and letting go disengages it."""
        self.push()
        _wait_until(lambda: device.poll().twist[0, 0] > 0.1)
        reading = device.poll()
        assert reading.engaged[0]
        assert reading.age_s <= self.max_age_s
        self.let_go()
        _wait_until(lambda: not device.poll().engaged.any())
        assert device.poll().age_s == 0.0

    def test_it_is_neutral_only_a_while_after_it_was_let_go(self, device: Device) -> None:
        """A pushed or absent device is not neutral."""
        _wait_until(lambda: device.poll().neutral)
        self.push()
        _wait_until(lambda: bool(device.poll().engaged.any()))
        assert not device.poll().neutral
        self.let_go()
        _wait_until(lambda: not device.poll().engaged.any())
        _wait_until(lambda: device.poll().neutral)
        self.unplug()
        _wait_until(lambda: math.isinf(device.poll().age_s))
        assert not device.poll().neutral

    def test_a_button_is_told_once(self, device: Device) -> None:
        """One press is one event."""
        self.press_resume()
        events: list[str] = []

        def found(condition: Callable[[], bool]) -> bool:
            events.extend(device.poll().events)
            return condition()

        _wait_until(lambda: found(lambda: "resume" in events))
        self.push()  # later events must not report the button again
        _wait_until(lambda: found(lambda: bool(device.poll().engaged.any())))
        assert events.count("resume") == 1

    def test_a_press_is_told_at_once_without_a_poll(self) -> None:
        """A listener gets a button press on the device's own thread, and `poll` still reports the press."""
        self.plug_in()
        device = self.make_device()
        heard: list[str] = []
        device.listen(heard.append)
        device.connect()
        self.press_resume()
        _wait_until(lambda: "resume" in heard)
        assert "resume" in device.poll().events
        device.close()

    def test_unplugged_while_pushed_it_falls_silent_and_stays_so(self, device: Device) -> None:
        """A lost device moves nothing."""
        self.push()
        _wait_until(lambda: bool(device.poll().engaged.any()))
        self.unplug()
        _wait_until(lambda: device.poll().age_s > self.max_age_s)
        _wait_until(lambda: math.isinf(device.poll().age_s))
        reading = device.poll()
        assert not reading.engaged.any()
        assert not reading.twist.any()

    def test_plugged_in_again_it_is_at_rest_until_it_is_pushed(self, device: Device) -> None:
        """The last push before a loss is forgotten."""
        self.push()
        _wait_until(lambda: bool(device.poll().engaged.any()))
        self.unplug()
        _wait_until(lambda: math.isinf(device.poll().age_s))
        self.plug_in()
        _wait_until(lambda: device.poll().age_s == 0.0)
        assert not device.poll().engaged.any()
        self.push()
        _wait_until(lambda: device.poll().twist[0, 0] > 0.1)

    def test_a_reading_never_waits(self, device: Device) -> None:
        """A poll takes less than a millisecond, with and without the device."""
        began_ns = CLOCK.now_ns()
        for _ in range(1000):
            device.poll()
        assert CLOCK.now_ns() - began_ns < 1_000_000_000
        self.unplug()
        began_ns = CLOCK.now_ns()
        for _ in range(1000):
            device.poll()
        assert CLOCK.now_ns() - began_ns < 1_000_000_000

    def test_closed_it_leaves_nothing_behind_and_can_be_opened_again(self, device: Device) -> None:
        """Closing ends the thread, closing twice is harmless, and a later `connect` works."""
        device.close()
        device.close()
        assert not [thread for thread in threading.enumerate() if thread.name.endswith(" reader")]
        with pytest.raises(DeviceError, match="connect"):
            device.poll()
        self.open_again(device)
        assert device.poll().age_s == 0.0


def _wait_until(condition: Callable[[], bool]) -> None:
    until_ns = CLOCK.now_ns() + round(SLOWEST_S * 1e9)
    while not condition():
        assert CLOCK.now_ns() < until_ns, f"expected this within {SLOWEST_S} s"
        CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)
