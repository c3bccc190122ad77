from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.board import BoardError, OtherBoardError, corner_points, cv_board, find_corners, grey
from steadyhand.calibration.camera_model import project
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import BOARD, SMALL, facing, renderer

pytest.importorskip("cv2")


def found(picture, board=BOARD, max_edge_px=4.0, min_corners=8):
    return find_corners(board, picture, max_edge_px, min_corners)


def test_the_corners_are_those_of_opencv():
    assert corner_points(BOARD) == pytest.approx(np.array(cv_board(BOARD).getChessboardCorners()), abs=1e-7)


def test_all_corners_of_a_rendered_board_are_found_at_their_places():
    turn, shift = facing()
    corners = found(renderer().render((turn, shift)))
    assert corners.ids.tolist() == list(range(40))
    assert (corners.width, corners.height) == (320, 240)
    truth = project(SMALL.vector, corners.among(corner_points(BOARD)) @ turn.T + shift)
    errors = np.linalg.norm(corners.pixels - truth, axis=1)
    assert np.sqrt(np.mean(errors**2)) < 0.15
    assert np.abs((corners.pixels - truth).mean(axis=0)).max() < 0.05


def test_half_a_board_gives_the_corners_that_are_seen():
    picture = renderer().render(facing()).copy()
    picture[:, 160:] = 120
    corners = found(picture)
    assert 8 <= len(corners.ids) < 25
    assert corners.pixels[:, 0].max() < 160


@pytest.mark.parametrize("shade", [0, 120, 255])
def test_a_picture_without_a_board_is_refused(shade):
    with pytest.raises(BoardError, match="found no markers; show the whole board"):
        found(np.full((240, 320, 3), shade, np.uint8))


def test_a_blurred_picture_is_refused_and_a_sharp_one_is_not():
    with pytest.raises(BoardError, match=r"at most 2 px, found 2\.\d px; hold still, focus"):
        found(renderer().render(facing(distance_m=0.26), blur_px=1.0), max_edge_px=2.0)
    found(renderer().render(facing(distance_m=0.26)), max_edge_px=2.0)


def test_too_few_corners_are_refused():
    with pytest.raises(BoardError, match="expected at least 41 corners of the board, found 40"):
        found(renderer().render(facing()), min_corners=41)


def test_a_mirrored_board_is_named():
    with pytest.raises(OtherBoardError, match="found its mirror image; switch off the camera's mirror mode"):
        found(renderer().render(facing())[:, ::-1])


@pytest.mark.parametrize(
    "change", [{"squares_x": 6, "squares_y": 9}, {"squares_x": 11, "squares_y": 8}, {"squares_x": 8}]
)
def test_another_count_of_squares_is_named(change):
    with pytest.raises(OtherBoardError, match="found one of 9 squares along x and at least 6 along y"):
        found(renderer().render(facing()), replace(BOARD, **change))


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"dictionary": "9X9_7"}, "expected one of OpenCV's"), ({"dictionary": "5X5_50", "squares_x": 20}, "at least 60")],
)
def test_an_impossible_dictionary_is_refused(change, expected):
    with pytest.raises(CalibrationError, match=expected):
        cv_board(replace(BOARD, **change))


def test_grey_keeps_a_grey_picture_and_weighs_colours():
    picture = np.array([[[255, 0, 0], [0, 255, 0], [10, 10, 10]]], np.uint8)
    assert grey(picture).tolist() == [[76, 150, 10]]
    assert grey(grey(picture)).tolist() == [[76, 150, 10]]
