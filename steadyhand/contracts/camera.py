"""Conformance tests of a camera."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from steadyhand.robot_envs.camera import Camera
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["CameraContract"]

CLOCK = MonotonicClock()
CALLS = 20
SLOWEST_CALL_S = 0.1


class CameraContract:
    """Base class of a camera's tests: derive and define `make_camera` and `wait`. The camera must see a lit scene.

    Attributes:
        contrast: Smallest standard deviation of a picture of the scene [0..255].
    """

    contrast: float = 10.0

    def make_camera(self) -> Camera:
        """Make the camera, not yet connected."""
        raise NotImplementedError("a test of a camera says how to make one")

    def wait(self, camera: Camera) -> None:
        """Let time pass until the camera has a new picture."""
        raise NotImplementedError("a test of a camera says how time passes")

    @pytest.fixture
    def camera(self) -> Iterator[Camera]:
        """The camera, connected."""
        camera = self.make_camera()
        camera.connect()
        yield camera
        camera.close()

    def test_refuses_before_connect(self) -> None:
        """A camera that is not connected gives no picture."""
        with pytest.raises(RuntimeError, match="connect"):
            self.make_camera().latest()

    def test_a_frame_has_the_promised_shape(self, camera: Camera) -> None:
        """Images are RGB bytes of the declared size."""
        frame = camera.latest()
        assert frame.pixels.shape == (camera.height, camera.width, 3)
        assert frame.pixels.dtype == np.uint8

    def test_it_shows_something(self, camera: Camera) -> None:
        """An image has more than one colour."""
        assert camera.latest().pixels.std() > self.contrast

    def test_counter_and_stamp_rise_with_a_new_picture(self, camera: Camera) -> None:
        """A new picture has a higher counter and a later stamp."""
        first = camera.latest()
        self.wait(camera)
        second = camera.latest()
        assert second.counter > first.counter
        assert second.stamp_ns > first.stamp_ns

    def test_the_newest_frame_is_there_at_once(self, camera: Camera) -> None:
        """`latest` never waits for the next picture."""
        camera.latest()
        began_ns = CLOCK.now_ns()
        for _ in range(CALLS):
            camera.latest()
        assert CLOCK.now_ns() - began_ns < CALLS * SLOWEST_CALL_S * 1e9

    def test_closed_it_gives_no_picture_and_can_be_opened_again(self, camera: Camera) -> None:
        """Closing twice is harmless, and a later `connect` works."""
        camera.close()
        camera.close()
        with pytest.raises(RuntimeError, match="connect"):
            camera.latest()
        camera.connect()
        assert camera.latest().pixels.shape == (camera.height, camera.width, 3)
