"""Robots and cameras of the user's own: one file and one YAML file outside the repository."""

import textwrap

import numpy as np
import pytest

from steadyhand.robot_envs.hardware import find_camera, find_robot
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings

CODE = """
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.camera import Camera, Frame, ViewConfig
from steadyhand.robot_envs.hardware import Hardware, RobotSetup
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.clock import FakeClock
from tests.robot_kit import StillRobot


@dataclass(frozen=True)
class PlinthConfig:
    address: str


class Plinth(RobotSetup):
    settings_type = PlinthConfig
    name = "plinth"

    def __init__(self, settings, scene):
        self.settings = settings

    def make(self):
        robot = StillRobot()
        robot.address = self.settings.address
        return Hardware(robot, (), NotedWorkpieces(), FakeClock(), False)


@dataclass(frozen=True)
class WebcamConfig(ViewConfig):
    path: str = "/dev/video0"


class Webcam(Camera):
    settings_type = WebcamConfig

    def __init__(self, config, name, world):
        self.name, self.height, self.width, self.crop = name, config.height, config.width, config.crop
        self.path, self.world = config.path, world

    def connect(self):
        pass

    def latest(self):
        return Frame(np.full((self.height, self.width, 3), 9, np.uint8), 0, 0)

    def close(self):
        pass


class DepthCamera(Webcam):
    def latest(self):
        return Frame(np.zeros((self.height, self.width), np.uint16), 0, 0)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_cell.py").write_text(CODE)
    for name, text in {
        "robot/plinth.yaml": """
            entry_point: my_cell:Plinth
            address: 10.0.0.9
            joint_limits: null
        """,
        "camera/webcam.yaml": """
            views:
              top: {entry_point: "my_cell:Webcam", height: 32, width: 48, path: /dev/video2}
        """,
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))


@pytest.mark.usefixtures("own")
def test_a_robot_and_a_camera_of_the_users_own_need_no_existing_file():
    config = compose(["task=reach", "robot=plinth", "camera=webcam"])
    read_settings(config)
    env = make_env(config, 0)
    assert (env.robot.address, env.robot.connected) == ("10.0.0.9", True)
    observation, _ = env.reset(seed=0)
    assert observation["top"].shape == (32, 48, 3)
    assert (observation["top"] == 9).all()
    assert not env.lockstep


@pytest.mark.usefixtures("own")
def test_a_depth_camera_is_refused_at_the_start_and_never_flattened():
    config = compose(
        ["task=reach", "robot=plinth", "camera=webcam", "camera.views.top.entry_point=my_cell:DepthCamera"]
    )
    with pytest.raises(
        RuntimeError, match=r"camera 'top': expected an image \(height, width, 3\) uint8, found \(32, 48\)"
    ):
        make_env(config, 0)


@pytest.mark.usefixtures("own")
def test_a_camera_of_the_users_own_can_look_at_the_mock_too():
    config = compose(["task=reach", "camera=webcam"])
    robot = find_robot(config["robot"])
    hardware = robot.make(config["task"]["scene"]).make()
    camera = find_camera("top", config["camera"]["views"]["top"], robot.type).make("top", hardware.world)
    assert (camera.path, camera.world) == ("/dev/video2", hardware.robot.world)
    assert np.array_equal(camera.latest().pixels.shape, (32, 48, 3))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["robot=plinth", "+robot.port=3"], "robot: unknown key 'port'; valid keys: address"),
        (["robot=plinth", "robot.address=3"], "robot.address: expected str"),
        (
            ["robot=plinth", "robot.entry_point=my_cell:Webcam"],
            "robot.entry_point: expected a class derived from RobotSetup",
        ),
        (
            ["robot=plinth", "camera=wrist_side"],
            "camera.views.wrist.entry_point: expected package.module:Class, found None",
        ),
        (["camera=webcam", "camera.views.top.height=0"], "camera.views.top: height: expected at least 1"),
        (["camera=webcam", "camera.views.top.entry_point=my_cell:Plinth"], "expected a class derived from Camera"),
    ],
)
def test_what_does_not_fit_is_one_line(overrides, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        read_settings(compose(["task=reach", *overrides]))
    assert "\n" not in str(caught.value)
