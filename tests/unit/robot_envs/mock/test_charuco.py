import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.mock.charuco import board_in_tool, find_board, opencv_in_board
from steadyhand.robot_envs.mock.optics import camera_in_base, intrinsics, project
from steadyhand.robot_envs.mock.workpieces import SceneError, workpiece_xml
from steadyhand.runtime.build import ConfigError
from tests.gap_kit import BOARD, make_arm, make_camera
from tests.robot_kit import TOOL_DOWN

cv2 = pytest.importorskip("cv2")

STANDS = frames.pose([0.5, 0.0, 0.004])


def detected(board, pixels):
    """Corners (n, 2) [pixels] and their ids (n,)."""
    detector = cv2.aruco.CharucoDetector(board.opencv())
    corners, ids, _, _ = detector.detectBoard(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    return np.reshape(corners, (-1, 2)), np.ravel(ids)


def errors_px(arm, name, board, board_in_base, camera_pose=None):
    """Distance of every detected corner from its projection [pixels]."""
    camera = make_camera(arm, name, 480, 640)
    corners, ids = detected(board, camera.latest().pixels)
    camera.close()
    points = frames.quat_rotate(board_in_base[3:], board.corners()[ids]) + board_in_base[:3]
    pose = camera_in_base(arm.world.data, name) if camera_pose is None else camera_pose
    matrix = intrinsics(arm.world.model, name, 480, 640)
    return np.linalg.norm(corners - project(points, pose, matrix), axis=1)


@pytest.mark.parametrize("tool_m", [[0.45, 0.0, 0.25], [0.42, 0.05, 0.2]])
def test_corners_of_a_board_on_the_table_are_where_the_wrist_camera_projects_them(tool_m):
    arm, board = make_arm(board=BOARD), find_board(BOARD)
    arm.place("board", STANDS)
    arm.world.set_configuration(frames.pose(tool_m, TOOL_DOWN), 0.02)
    errors = errors_px(arm, "wrist", board, arm.world.pose_of("board"))
    assert len(errors) >= 12
    assert errors.max() < 0.3


@pytest.mark.parametrize("turn_rad", [0.0, 0.3, 0.6])
def test_corners_of_a_held_board_are_where_the_side_camera_projects_them(turn_rad):
    arm, board = make_arm(tool=BOARD), find_board(BOARD)
    turned = frames.quat_multiply(frames.quat_from_rotvec(np.array([0.0, 0.0, turn_rad])), TOOL_DOWN)
    arm.world.set_configuration(frames.pose([0.5, 0.0, 0.2], turned), 0.005)
    errors = errors_px(arm, "side", board, frames.pose_compose(arm.world.tcp_pose(), board_in_tool(board)))
    assert len(errors) >= 20
    assert errors.max() < 0.3


def test_a_hidden_camera_error_shows_in_the_picture_and_only_the_true_pose_explains_it():
    choice = ("gap.hidden.camera_m=0.005", "gap.hidden.camera_rad=0.02")
    arm, board, nominal = make_arm(*choice, board=BOARD), find_board(BOARD), make_arm(board=BOARD)
    for one in (arm, nominal):
        one.place("board", STANDS)
        one.world.set_configuration(frames.pose([0.45, 0.0, 0.25], TOOL_DOWN), 0.02)
    place = arm.world.pose_of("board")
    believed = camera_in_base(nominal.world.data, "wrist")
    assert errors_px(arm, "wrist", board, place).max() < 0.3
    assert errors_px(arm, "wrist", board, place, believed).min() > 2.0


def test_its_corners_are_those_of_opencv():
    board = find_board(BOARD)
    frame = opencv_in_board(board)
    theirs = board.opencv().getChessboardCorners().astype(float)
    assert frames.quat_rotate(frame[3:], theirs) + frame[:3] == pytest.approx(board.corners(), abs=1e-7)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"squares_x": 1}, r"squares_x: expected a number within \[2, 32\]"),
        ({"squares_x": 5.5}, "squares_x: expected int"),
        ({"marker_m": 0.03}, "square_m: expected more than marker_m"),
        ({"dictionary": "4x4"}, "dictionary: expected a name such as DICT_4X4_50"),
        ({"edge_m": 1.0}, "unknown key 'edge_m'"),
    ],
)
def test_a_wrong_description_is_refused(change, text):
    with pytest.raises(ConfigError, match=text):
        find_board(BOARD | change)
    with pytest.raises(SceneError, match=text):
        workpiece_xml(BOARD | change, "board")


def test_an_unknown_dictionary_is_refused():
    with pytest.raises(ConfigError, match=r"charuco_board\.dictionary: OpenCV .* has no 'DICT_9X9'"):
        make_arm(board=BOARD | {"dictionary": "DICT_9X9"})
