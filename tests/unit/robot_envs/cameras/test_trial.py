from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.camera import CameraError, Frame
from steadyhand.robot_envs.cameras.trial import try_camera
from steadyhand.runtime.clock import FakeClock


class FakeCamera:
    name, height, width = "wrist", 6, 8

    def __init__(self, clock, shape=(6, 8, 3)):
        self.clock, self.shape, self.connected = clock, shape, False

    def connect(self):
        self.connected = True

    def latest(self):
        counter = self.clock.now_ns() // 40_000_000
        return Frame(np.zeros(self.shape, np.uint8), counter * 40_000_000, counter)

    def close(self):
        self.connected = False


def test_size_rate_and_age_of_the_frames():
    clock = FakeClock(10_000_000)
    camera = FakeCamera(clock)
    trial = try_camera(camera, clock)
    assert (trial.frames_per_s, trial.age_s) == pytest.approx((25.0, 0.01))
    assert str(trial) == "8x6, 25.0 frames/s, newest 10 ms old"
    assert not camera.connected


def test_a_camera_without_a_new_frame_has_the_rate_0():
    clock = FakeClock()
    camera = FakeCamera(clock)
    still = camera.latest()
    camera.latest = lambda: replace(still)
    assert try_camera(camera, clock).frames_per_s == 0.0


def test_frames_of_another_size_are_refused_and_the_camera_closed():
    clock = FakeClock()
    camera = FakeCamera(clock, (0, 8, 3))
    with pytest.raises(CameraError, match=r"camera 'wrist': expected an image .* of 6x8, found \(0, 8, 3\) uint8"):
        try_camera(camera, clock)
    assert not camera.connected
