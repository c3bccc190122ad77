import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.contracts.camera import CameraContract
from steadyhand.robot_envs.camera import CameraError, Crop
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env


@pytest.fixture
def world():
    env = make_robot_env("task=peg_insert")
    env.reset(seed=0)
    return env.robot.world


class RenderedContract(CameraContract):
    name = ""

    @pytest.fixture(autouse=True)
    def around(self, world):
        self.world = world

    def make_camera(self):
        return RenderedCamera(RenderedCameraConfig(96, 128), self.name, self.world)

    def wait(self, camera):
        self.world.step(50)

    def test_a_counter_stands_still_while_no_time_passes(self, camera):
        assert camera.latest().counter == camera.latest().counter
        assert camera.latest().pixels.shape == (96, 128, 3)


class TestWristCamera(RenderedContract):
    name = "wrist"


class TestSideCamera(RenderedContract):
    name = "side"


def test_unknown_view_is_refused_with_the_names_of_those_there_are(world):
    with pytest.raises(RuntimeError, match="side, wrist"):
        RenderedCamera(RenderedCameraConfig(96, 128), "roof", world).connect()


def test_a_real_robot_has_nothing_to_render():
    with pytest.raises(CameraError, match=r"name the class of a real camera in camera\.views\.wrist\.entry_point"):
        RenderedCamera(RenderedCameraConfig(96, 128), "wrist", None).connect()


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
