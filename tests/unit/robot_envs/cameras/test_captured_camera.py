"""Faults of a real camera stop the robot by name, through the real environment in real time."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras import captured_camera
from steadyhand.robot_envs.cameras.captured_camera import CapturedCamera, DeviceSettings
from steadyhand.robot_envs.cameras.video_file import VideoFile
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.rewards.task import TaskReward
from steadyhand.robot_envs.safety.camera_watch import CameraLimits
from tests.camera_kit import HEIGHT, QUICK, WIDTH, blocks, video_view, write_video
from tests.fault_kit import ENDLESS
from tests.robot_kit import make_robot_env
from tests.transport_kit import wait_until
from tests.uvc_kit import UvcBench

LIMITS = CameraLimits(max_age_s=0.3, max_same_frames=3)
STEPS = 12  # 1.2 s
STILL = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def unplug(bench):
    bench.unplugged = True


def freeze(bench):
    bench.change = lambda picture: STILL


def change_size(bench):
    bench.change = lambda picture: cv2.resize(picture, (WIDTH // 2, HEIGHT // 2))


def add_noise(bench):
    """Let no two pictures be the same, as those of a sensor."""
    rng = np.random.default_rng(0)
    bench.change = lambda picture: picture ^ rng.integers(0, 4, picture.shape, np.uint8)


def stop_reason(bench, fault, limits):
    """Practise with one camera, and return the reason of the stop within `STEPS` after the fault; "" = none."""
    plain = make_robot_env(*ENDLESS, "robot.world.pace=realtime")
    plain.gate.limits = replace(plain.gate.limits, cameras=limits)
    add_noise(bench)
    camera = bench.camera(plain.robot.world)
    parts = (plain.config, plain.robot, [camera], plain._task, plain._workpieces, plain.gate, plain.clock, False)
    env = RobotEnv(*parts, TaskReward())
    try:
        env.reset(seed=0)
        assert env.stop_reason is None
        fault(bench)
        for _ in range(STEPS):
            *_, info = env.step(np.zeros(env.action_space.shape, np.float32))
            if info["stop_reason"]:
                return info["stop_reason"]
        return ""
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(unplug, "camera_stale"), (freeze, "camera_frozen"), (change_size, "camera_wrong_size")],
)
def test_a_fault_stops_the_robot_and_names_the_camera(tmp_path, fault, reason):
    assert stop_reason(UvcBench(tmp_path), fault, LIMITS) == f"{reason} (wrist)"


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("fault", [unplug, freeze])
def test_without_limits_the_fault_would_go_unnoticed(tmp_path, fault):
    assert stop_reason(UvcBench(tmp_path), fault, None) == ""


@pytest.mark.slow
@pytest.mark.realtime
def test_without_the_check_of_its_size_a_resized_picture_would_go_unnoticed(tmp_path, monkeypatch):
    monkeypatch.setattr(CapturedCamera, "_is_of_size", lambda self, size: True)
    assert stop_reason(UvcBench(tmp_path), change_size, LIMITS) == ""


@pytest.mark.slow
@pytest.mark.realtime
def test_a_camera_without_a_fault_stops_nothing(tmp_path):
    assert stop_reason(UvcBench(tmp_path), lambda bench: None, LIMITS) == ""


def test_a_picture_of_another_size_is_an_empty_frame_and_logged_once(tmp_path, caplog):
    bench = UvcBench(tmp_path)
    camera = bench.camera()
    camera.connect()
    change_size(bench)
    wait_until(lambda: camera.latest().pixels.shape == (0, WIDTH, 3))
    counter = camera.latest().counter
    wait_until(lambda: camera.latest().counter > counter + 3)
    camera.close()
    assert caplog.text.count("expected pictures (48, 64), found (24, 32)") == 1


def test_a_robot_in_lockstep_is_refused_a_camera_in_real_time(tmp_path):
    write_video(tmp_path / "film.avi", [blocks(0)])
    env = make_robot_env("task=reach")
    with pytest.raises(
        CameraError, match=r"camera 'wrist': expected a robot in real time, .*robot\.world\.pace=realtime"
    ):
        VideoFile(video_view(tmp_path / "film.avi"), "wrist", env.robot.world).connect()
    env.close()


def test_without_opencv_a_camera_is_one_line(tmp_path, monkeypatch):
    write_video(tmp_path / "film.avi", [blocks(0)])

    def missing():
        raise CameraError("expected the package opencv-python-headless, found none")

    monkeypatch.setattr(captured_camera, "opencv", missing)
    with pytest.raises(CameraError, match="camera 'wrist': expected the package opencv-python-headless"):
        VideoFile(video_view(tmp_path / "film.avi"), "wrist").connect()


def test_the_health_of_a_camera_needs_a_connection(tmp_path):
    with pytest.raises(RuntimeError, match=r"call connect\(\) first"):
        _ = VideoFile(video_view(tmp_path / "film.avi"), "wrist").health


def test_settings_of_a_device_say_which_one_it_is():
    with pytest.raises(NotImplementedError):
        _ = DeviceSettings(timing=QUICK).title
