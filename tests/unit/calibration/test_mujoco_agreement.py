"""A board in MuJoCo, whose renderer shares no code with the one of the other tests, is found where MuJoCo puts it."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.board_renderer import board_picture
from steadyhand.calibration.board import corner_points, find_corners
from steadyhand.calibration.camera_model import CameraModel, project
from steadyhand.calibration.rotations import compose, inverse, matrix_from_rotvec
from tests.board_kit import BOARD

pytest.importorskip("cv2")
mujoco = pytest.importorskip("mujoco")

pytestmark = pytest.mark.slow
WIDTH, HEIGHT, FOVY_DEG = 640, 480, 50.0
CAMERA_AT, CAMERA_TURN = np.array([0.05, -0.08, 0.42]), matrix_from_rotvec(np.array([0.25, 0.1, 0.3]))


def scene():
    """Return a world with the board on z = 0, its frame's x and y along the world's, and a camera above it."""
    margin = BOARD.square_m
    low = -margin
    x, y = BOARD.squares_x * BOARD.square_m + margin, BOARD.squares_y * BOARD.square_m + margin
    png = io.BytesIO()
    Image.fromarray(board_picture(BOARD, 8000.0)).convert("RGB").save(png, format="PNG")
    axes = " ".join(str(value) for value in CAMERA_TURN[:, :2].T.ravel())
    xml = f"""
    <mujoco>
      <visual>
        <headlight ambient="0.9 0.9 0.9" diffuse="0 0 0" specular="0 0 0"/><map znear="0.01"/>
        <global offwidth="{WIDTH}" offheight="{HEIGHT}"/><quality offsamples="8"/>
      </visual>
      <asset>
        <texture name="board" type="2d" file="board.png"/>
        <material name="board" texture="board" specular="0" reflectance="0"/>
        <mesh name="board" inertia="shell" vertex="{low} {-low} 0  {x} {-low} 0  {x} {-y} 0  {low} {-y} 0"
              texcoord="0 0  1 0  1 1  0 1" face="0 2 1  0 3 2"/>
      </asset>
      <worldbody>
        <geom type="mesh" mesh="board" material="board" contype="0" conaffinity="0" mass="1"/>
        <camera name="eye" pos="{CAMERA_AT[0]} {CAMERA_AT[1]} {CAMERA_AT[2]}" xyaxes="{axes}" fovy="{FOVY_DEG}"/>
      </worldbody>
    </mujoco>"""
    model = mujoco.MjModel.from_xml_string(xml, assets={"board.png": png.getvalue()})
    return model, mujoco.MjData(model)


def test_the_boards_corners_are_where_mujoco_draws_them():
    model, data = scene()
    mujoco.mj_forward(model, data)
    renderer = mujoco.Renderer(model, HEIGHT, WIDTH)
    renderer.update_scene(data, camera="eye")
    picture = renderer.render()
    renderer.close()
    corners = find_corners(BOARD, picture, 4.0, 20)
    focal = HEIGHT / 2 / np.tan(np.radians(FOVY_DEG) / 2)
    camera = CameraModel(WIDTH, HEIGHT, focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, (0.0,) * 5)
    # The board's y and z are the world's -y and -z; a camera of OpenCV looks along z, one of MuJoCo along -z.
    flip = np.diag([1.0, -1.0, -1.0])
    camera_in_world = CAMERA_TURN @ flip, data.cam_xpos[0]
    turn, shift = compose(inverse(camera_in_world), (flip, np.zeros(3)))
    truth = project(camera.vector, corners.among(corner_points(BOARD)) @ turn.T + shift)
    errors = np.linalg.norm(corners.pixels - truth, axis=1)
    assert len(corners.ids) > 20
    assert np.sqrt(np.mean(errors**2)) < 0.3
