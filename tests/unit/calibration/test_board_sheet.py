import re
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.board import corner_points, find_corners
from steadyhand.calibration.board_sheet import board_page, rectangles
from tests.board_kit import BOARD

pytest.importorskip("cv2")

MM_PER_POINT = 25.4 / 72.0
PX_PER_MM = 8.0


def page_picture(page):
    """Draw the black rectangles of a page, as a viewer does; return the picture and the page's size [mm]."""
    text = page.decode("ascii")
    size = [float(value) * MM_PER_POINT for value in re.search(r"MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", text).groups()]
    picture = np.full((round(size[1] * PX_PER_MM), round(size[0] * PX_PER_MM)), 255, np.uint8)
    for found in re.finditer(r"^([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f$", text, re.MULTILINE):
        x, y, width, height = (float(value) * MM_PER_POINT for value in found.groups())
        rows = slice(round((size[1] - y - height) * PX_PER_MM), round((size[1] - y) * PX_PER_MM))
        picture[rows, round(x * PX_PER_MM) : round((x + width) * PX_PER_MM)] = 0
    return picture, size


def test_the_page_is_a_board_of_true_size():
    picture, size = page_picture(board_page(BOARD))
    assert size == pytest.approx([297.0, 210.0], abs=0.01)
    corners = find_corners(BOARD, picture, 4.0, 40)
    assert len(corners.ids) == 40
    apart_mm = (corners.pixels - corners.pixels[0]) / PX_PER_MM
    expected_mm = 1e3 * (corner_points(BOARD) - corner_points(BOARD)[0])[:, :2]
    assert apart_mm == pytest.approx(expected_mm, abs=0.1)


@pytest.mark.parametrize(("squares_x", "expected"), [(14, [420.0, 297.0]), (20, [520.0, 182.0])])
def test_a_larger_board_gets_a_larger_page(squares_x, expected):
    board = replace(BOARD, squares_x=squares_x)
    _, size = page_picture(board_page(board))
    assert size == pytest.approx(expected, abs=0.01)


def test_every_black_square_is_drawn_whole():
    whole = [rectangle for rectangle in rectangles(BOARD) if rectangle[2] == rectangle[3] == BOARD.square_m]
    assert len(whole) == BOARD.squares_x * BOARD.squares_y // 2


def test_the_file_has_the_offsets_that_pdf_asks_for():
    page = board_page(BOARD)
    start = int(re.search(rb"startxref\n(\d+)", page).group(1))
    assert page[start : start + 4] == b"xref"
    offsets = [int(found) for found in re.findall(rb"^(\d{10}) 00000 n", page, re.MULTILINE)]
    assert [page[at : at + 7] for at in offsets] == [f"{number} 0 obj".encode() for number in (1, 2, 3, 4)]
    stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", page, re.DOTALL)
    assert int(stream.group(1)) == len(stream.group(2))
