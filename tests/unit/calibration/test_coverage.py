import pytest

from steadyhand.calibration.coverage import CELLS, advice, coverage_of, tilt_of
from tests.board_kit import BOARD, SMALL, corners_at, exact_views, facing

pytest.importorskip("cv2")


def test_the_tilt_says_which_side_is_nearer():
    shown = corners_at(BOARD, SMALL, [facing(0.3, 0.0), facing(-0.3, 0.0)])
    # A rotation about x moves the lower side, with positive y, away from the camera.
    assert tilt_of(BOARD, shown[0])[1] == pytest.approx(-17.0, abs=4.0)
    assert tilt_of(BOARD, shown[1])[1] == pytest.approx(17.0, abs=4.0)
    assert abs(tilt_of(BOARD, shown[0])[0]) < 3.0


def test_the_counts_are_of_cells_and_tilts():
    coverage = coverage_of(BOARD, corners_at(BOARD, SMALL, [facing(0.5, 0.0)]), 15.0)
    assert sum(coverage.cells) == 40
    assert coverage.cells[CELLS.index("middle centre")] > 10
    assert coverage.tilts == (0, 0, 1, 0)
    assert coverage.views == 1


def test_advice_names_what_is_missing_and_ends():
    few = coverage_of(BOARD, corners_at(BOARD, SMALL, [facing(0.5, 0.0, 0.6)]), 15.0)
    lines = advice(few, BOARD, 8)
    assert lines[0] == "tilt the board: left side nearer (3 of 4 tilts missing)"
    assert "show the board upper left (0 corners there, 10 are enough)" in lines
    assert lines[-1] == "take more pictures: 1 of at least 8"
    _, views = exact_views(count=40)
    assert advice(coverage_of(BOARD, views, 15.0), BOARD, 8) == []
