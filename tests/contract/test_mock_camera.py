import numpy as np
import pytest

from robot_envs.mock.camera import RenderedCamera, RenderedCameraConfig
from tests.robot_kit import make_robot_env


@pytest.fixture
def world():
    env = make_robot_env("task=peg_insert")
    env.reset(seed=0)
    return env.robot.world


class CameraContract:
    """What every camera must do."""

    name = ""

    @pytest.fixture
    def camera(self, world):
        camera = RenderedCamera(RenderedCameraConfig(self.name, 96, 128), world)
        camera.connect()
        yield camera
        camera.close()

    def test_frame_has_the_promised_shape(self, camera):
        frame = camera.latest()
        assert frame.pixels.shape == (camera.height, camera.width, 3) == (96, 128, 3)
        assert frame.pixels.dtype == np.uint8

    def test_shows_something(self, camera):
        assert camera.latest().pixels.std() > 10.0

    def test_counter_and_stamp_rise_with_time_and_only_then(self, camera, world):
        first = camera.latest()
        assert camera.latest().counter == first.counter
        world.step(50)
        assert camera.latest().counter > first.counter
        assert camera.latest().stamp_ns > first.stamp_ns

    def test_refuses_before_connect(self, world):
        with pytest.raises(RuntimeError, match="connect"):
            RenderedCamera(RenderedCameraConfig(self.name, 96, 128), world).latest()


class TestWristCamera(CameraContract):
    name = "wrist"


class TestSideCamera(CameraContract):
    name = "side"


def test_unknown_view_is_refused_with_the_names_of_those_there_are(world):
    with pytest.raises(RuntimeError, match="side, wrist"):
        RenderedCamera(RenderedCameraConfig("roof", 96, 128), world).connect()
