import pytest

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.sharing import join, leave


class FakeCapture:
    def __init__(self):
        self.takers, self.starts, self.stops = [], 0, 0

    def add(self, taker):
        self.takers.append(taker)

    def remove(self, taker):
        self.takers.remove(taker)

    def start(self):
        self.starts += 1

    def stop(self):
        self.stops += 1


def test_views_of_one_device_share_its_capture_until_the_last_leaves():
    made = []

    def make():
        made.append(FakeCapture())
        return made[-1]

    colour, depth = object(), object()
    first = join("camera", "settings", make, colour)
    assert join("camera", "settings", make, depth) is first
    assert (first.takers, first.starts, len(made)) == ([colour, depth], 1, 1)
    leave("camera", colour)
    assert (first.takers, first.stops) == ([depth], 0)
    leave("camera", depth)
    assert first.stops == 1
    assert join("camera", "other settings", make, colour) is not first
    leave("camera", colour)


def test_other_settings_of_an_open_device_are_refused():
    taker = object()
    join("camera", "settings", FakeCapture, taker)
    with pytest.raises(CameraError, match="expected the same settings in all views of one device"):
        join("camera", "others", FakeCapture, taker)
    leave("camera", taker)
