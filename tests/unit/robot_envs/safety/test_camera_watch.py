import numpy as np
import pytest

from steadyhand.robot_envs.camera import CameraError, Frame
from steadyhand.robot_envs.safety.camera_watch import CameraLimits, CameraWatch
from steadyhand.robot_envs.safety.stop_reason import StopReason

SECOND = 1_000_000_000


class Camera:
    name, height, width = "wrist", 2, 3

    def __init__(self) -> None:
        self.frame = Frame(np.zeros((2, 3, 3), np.uint8), 0, 0)

    def show(self, value=0, stamp_ns=0, counter=0, shape=(2, 3, 3)):
        self.frame = Frame(np.full(shape, value, np.uint8), stamp_ns, counter)

    def latest(self):
        return self.frame


@pytest.fixture
def camera():
    return Camera()


def test_a_new_frame_is_taken(camera):
    watch = CameraWatch(camera, CameraLimits(0.3, 2))
    camera.show(7, SECOND, 5)
    assert watch.look(SECOND) is None
    assert (watch.pixels == 7).all()


def test_a_counter_that_stands_still_is_stale_after_the_age(camera):
    watch = CameraWatch(camera, CameraLimits(0.3, None))
    seen = []
    for step in range(5):
        camera.show(step, step * SECOND // 10, 0)
        seen.append(watch.look(step * SECOND // 10))
    assert seen == [None] * 4 + [StopReason.CAMERA_STALE]


def test_the_same_pixels_are_frozen_only_where_that_is_asked_for(camera):
    for max_same, expected in ((2, [None, None, StopReason.CAMERA_FROZEN]), (None, [None] * 3)):
        watch, seen = CameraWatch(camera, CameraLimits(0.3, max_same)), []
        for step in range(3):
            camera.show(1, step, step)
            seen.append(watch.look(step))
        assert seen == expected


def test_the_same_frame_looked_at_twice_is_not_frozen(camera):
    watch = CameraWatch(camera, CameraLimits(0.3, 1))
    assert [watch.look(step) for step in range(4)] == [None] * 4


def test_a_frame_of_another_size_leaves_the_last_good_one(camera):
    watch = CameraWatch(camera, None)
    camera.show(7)
    watch.look(0)
    camera.show(9, shape=(3, 3, 3))
    assert watch.look(0) is StopReason.CAMERA_WRONG_SIZE
    assert watch.pixels.shape == (2, 3, 3)
    assert (watch.pixels == 7).all()


def test_a_new_episode_forgets(camera):
    watch = CameraWatch(camera, CameraLimits(0.3, None))
    watch.look(0)
    watch.begin()
    camera.show(0, SECOND, 0)
    assert watch.look(SECOND) is None


@pytest.mark.parametrize("values", [(0.0, None), (0.3, 0)])
def test_numbers_that_mean_nothing_are_refused(values):
    with pytest.raises(ValueError, match="expected"):
        CameraLimits(*values)


@pytest.mark.parametrize("pixels", [np.zeros((2, 3, 1), np.uint8), np.zeros((2, 3), np.uint16), np.zeros((2, 3, 3))])
def test_a_camera_that_gives_no_colours_is_refused_at_the_start(camera, pixels):
    camera.frame = Frame(pixels, 0, 0)
    with pytest.raises(CameraError, match=r"camera 'wrist': expected an image \(height, width, 3\) uint8, found"):
        CameraWatch(camera, None).check_kind()
