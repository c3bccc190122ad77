import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.runtime.config import build, compose
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
        camera = RenderedCamera(RenderedCameraConfig(96, 128), self.name, world)
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
            RenderedCamera(RenderedCameraConfig(96, 128), self.name, world).latest()


class TestWristCamera(CameraContract):
    name = "wrist"


class TestSideCamera(CameraContract):
    name = "side"


def test_unknown_view_is_refused_with_the_names_of_those_there_are(world):
    with pytest.raises(RuntimeError, match="side, wrist"):
        RenderedCamera(RenderedCameraConfig(96, 128), "roof", world).connect()


CROP = Crop(left=0.25, top=0.5, width=0.5, height=0.25)


@pytest.mark.parametrize("name", ["wrist", "side"])
def test_a_crop_shows_what_it_would_cut_out_of_the_whole_picture(world, name):
    cropped = RenderedCameraConfig(32, 96, CROP)
    assert cropped.uncropped == RenderedCameraConfig(128, 192)
    shown = []
    for config in (cropped, cropped.uncropped):
        camera = RenderedCamera(config, name, world)
        camera.connect()
        shown.append(camera.latest().pixels.astype(int))
        camera.close()
    part, whole = shown
    apart = np.abs(part - CROP.cut(whole))
    assert part.std() > 5.0
    assert np.mean(apart > 8) < 0.01  # an edge may fall on the next pixel
    assert np.mean(np.abs(part - whole[:32, :96]) > 8) > 0.1  # and not what any other part shows


@pytest.mark.parametrize("option", ["wrist_side", "wrist_side_close"])
def test_what_a_driver_would_publish_of_every_configured_view_can_be_rendered(world, option):
    for name, view in compose([f"camera={option}"])["camera"]["views"].items():
        config = build(RenderedCameraConfig, view)
        for one in (config, config.uncropped):
            camera = RenderedCamera(one, name, world)
            camera.connect()
            assert camera.latest().pixels.shape == (one.height, one.width, 3)
            camera.close()


@pytest.mark.parametrize("shares", [(-0.1, 0.0, 0.5, 0.5), (0.6, 0.0, 0.5, 0.5), (0.0, 0.0, 0.0, 1.0)])
def test_what_is_no_part_of_a_picture_is_refused(shares):
    with pytest.raises(ValueError, match="part of the picture"):
        Crop(*shares)


def test_another_crop_is_another_quantity_in_the_schema():
    whole = make_robot_env("task=reach", "camera=wrist_side")
    cropped = make_robot_env("task=reach", "camera=wrist_side", "+camera.views.wrist.crop={left:0.5,width:0.5}")
    diff = env_schema(whole).diff(env_schema(cropped))
    assert diff == ["observation wrist: frame: expected camera, found camera, crop 0.5 0 0.5 1"]
