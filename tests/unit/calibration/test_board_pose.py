import numpy as np
import pytest

from steadyhand.calibration.board import corner_points
from steadyhand.calibration.board_pose import board_poses
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import BOARD, SMALL, corners_at, facing

pytest.importorskip("cv2")


def test_exact_corners_give_the_boards_pose():
    truth = [facing(0.3), facing(-0.4, 0.5), facing(0.2, 1.0, 0.5)]
    turn, shift = board_poses(corners_at(BOARD, SMALL, truth), corner_points(BOARD), SMALL)
    assert turn == pytest.approx(np.array([rigid[0] for rigid in truth]), abs=1e-5)
    assert shift == pytest.approx(np.array([rigid[1] for rigid in truth]), abs=1e-5)


def test_three_corners_are_refused():
    shown = corners_at(BOARD, SMALL, [facing()])[0]
    few = type(shown)(shown.ids[:3], shown.pixels[:3], shown.width, shown.height)
    with pytest.raises(CalibrationError, match="picture 1: expected at least 4 corners"):
        board_poses([few], corner_points(BOARD), SMALL)
