import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.robot_envs.mock.gap import CAMERAS
from steadyhand.robot_envs.mock.optics import camera_in_base, intrinsics, mount_of, project, set_mount
from tests.gap_kit import make_arm
from tests.robot_kit import TOOL_DOWN

AT = frames.pose([0.4, 0.0, 0.3], TOOL_DOWN)
BALL = {"kind": "marker", "radius_m": 0.006}


def ball_pixels(arm, name, config):
    """Middle of the ball in the picture [pixels]: the mean of what changes when it leaves."""
    shown = []
    camera = RenderedCamera(config, name, arm.world)
    camera.connect()
    for place in (arm.pose_of("ball"), frames.pose([0.0, 0.0, -1.0])):
        arm.place("ball", place)
        arm.world.set_configuration(AT, 0.02)
        shown.append(camera.latest().pixels.astype(int))
    camera.close()
    rows, columns = np.nonzero(np.abs(shown[0] - shown[1]).max(axis=2) > 12)
    assert len(rows) > 30
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize("crop", [Crop(), Crop(0.3, 0.3, 0.5, 0.6)])
@pytest.mark.parametrize(("name", "at"), [("wrist", [0.48, 0.02, 0.05]), ("side", [0.5, 0.03, 0.08])])
def test_a_ball_is_where_its_centre_is_projected(name, at, crop):
    arm = make_arm(ball=BALL)
    arm.place("ball", frames.pose(at))
    arm.world.set_configuration(AT, 0.02)
    height, width = (240, 320) if crop == Crop() else (144, 160)
    matrix = intrinsics(arm.world.model, name, height, width, crop)
    expected = project(np.array([at]), camera_in_base(arm.world.data, name), matrix)[0]
    assert 0 < expected[0] < width
    assert 0 < expected[1] < height
    assert ball_pixels(arm, name, RenderedCameraConfig(height, width, crop)) == pytest.approx(expected, abs=0.5)


def test_a_crop_moves_the_centre_and_keeps_the_focal_length():
    model = make_arm().world.model
    whole, part = intrinsics(model, "side", 480, 640), intrinsics(model, "side", 240, 320, Crop(0.25, 0.5, 0.5, 0.5))
    assert part[:2, :2] == pytest.approx(whole[:2, :2])
    assert part[:2, 2] == pytest.approx(whole[:2, 2] - [160, 240])
    assert whole[0, 0] == pytest.approx(240 / np.tan(np.radians(22.5)))
    assert whole[:2, 2] == pytest.approx([319.5, 239.5])


@pytest.mark.parametrize("name", CAMERAS)
def test_a_mount_is_read_as_it_was_set(name):
    model = make_arm().world.model
    mount = mount_of(model, name)
    moved = frames.pose_compose(mount, frames.pose_from_vector(np.array([0.01, 0.02, 0.03, 0.1, 0.2, 0.3])))
    set_mount(model, name, moved)
    assert frames.pose_relative(moved, mount_of(model, name))[:6] == pytest.approx(np.zeros(6), abs=1e-9)
    assert not np.allclose(moved, mount)


def test_the_camera_looks_along_its_z_axis_with_y_down():
    arm = make_arm()
    arm.world.set_configuration(AT, 0.02)
    for name in CAMERAS:
        camera = camera_in_base(arm.world.data, name)
        forward = frames.quat_rotate(camera[3:], np.array([0.0, 0.0, 1.0]))
        assert forward[2] < -0.2, name  # both look down at the table
    down = frames.quat_rotate(camera_in_base(arm.world.data, "side")[3:], np.array([0.0, 1.0, 0.0]))
    assert down[2] < -0.8
