from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.board import OtherBoardError, find_markers, grey
from steadyhand.calibration.board_layout import check_layout, layout_error
from tests.board_kit import BOARD, facing, renderer

pytest.importorskip("cv2")


def markers():
    shades = grey(renderer().render(facing()))
    return shades, *find_markers(BOARD, shades)


def test_the_boards_own_layout_fits_and_another_does_not():
    _, corners, ids = markers()
    assert layout_error(BOARD, corners, ids) < 0.1
    assert layout_error(replace(BOARD, squares_x=8, squares_y=7), corners, ids) > 0.5
    assert layout_error(replace(BOARD, squares_x=5, squares_y=5), corners, ids) == float("inf")


def test_the_old_pattern_is_named():
    shades, corners, ids = markers()
    with pytest.raises(OtherBoardError, match="expected a board of 9 x 6 squares in the old pattern, found one of 9"):
        check_layout(replace(BOARD, legacy_pattern=True), shades, corners, ids)


def test_markers_in_no_order_are_refused():
    shades, corners, ids = markers()
    with pytest.raises(OtherBoardError, match="found markers in another order"):
        check_layout(BOARD, shades, corners, np.random.default_rng(0).permutation(ids))


def test_few_markers_are_not_judged():
    shades, corners, ids = markers()
    check_layout(replace(BOARD, squares_x=8), shades, corners[:3], ids[:3])
