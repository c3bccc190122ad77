"""A board as a PDF page of true size, drawn in black rectangles: no printer has to scale pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steadyhand.calibration.board import cv_board
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = ["board_page", "rectangles"]

POINTS_PER_M = 72.0 / 0.0254  # PDF's unit
MARGIN_M, CAPTION_M = 0.010, 0.012
PAPER_M = {"A4": (0.297, 0.210), "A3": (0.420, 0.297)}
RULER_M = 0.1
ROOT = "Catalog"  # PDF's name of the first object

Rectangle = tuple[float, float, float, float]  # x, y of the upper left corner, width, height [m], y down


def rectangles(board: BoardConfig) -> Iterator[Rectangle]:
    """Yield the black rectangles of the board, in its frame [m]: the black squares, and the dark cells of the markers.

    Raises:
        CalibrationError: OpenCV has no such dictionary, or it has too few markers.
    """
    import cv2

    made = cv_board(board)
    markers = _markers(board)
    border = (board.square_m - board.marker_m) / 2
    cells = int(made.getDictionary().markerSize) + 2
    for row in range(board.squares_y):
        for column in range(board.squares_x):
            x, y = column * board.square_m, row * board.square_m
            number = markers.get((column, row))
            if number is None:
                yield x, y, board.square_m, board.square_m
                continue
            bits = cv2.aruco.generateImageMarker(made.getDictionary(), number, cells)
            side = board.marker_m / cells
            for down, line in enumerate(bits):
                for start, end in _dark_runs(line):
                    yield x + border + start * side, y + border + down * side, (end - start) * side, side


def board_page(board: BoardConfig) -> bytes:
    """Return the board as a PDF: A4 or A3 across if it fits, else a page of its size, with a ruler of 100 mm.

    Raises:
        CalibrationError: OpenCV has no such dictionary, or it has too few markers.
    """
    width_m, height_m = board.squares_x * board.square_m, board.squares_y * board.square_m
    needed = (width_m + 2 * MARGIN_M, height_m + 2 * MARGIN_M + CAPTION_M)
    fitting = (size for size in PAPER_M.values() if size[0] >= needed[0] and size[1] >= needed[1])
    page = next(fitting, (max(needed[0], RULER_M + 2 * MARGIN_M), needed[1]))
    left, top = (page[0] - width_m) / 2, (page[1] - CAPTION_M - height_m) / 2
    drawn = [_filled((left + x, top + y, w, h), page[1]) for x, y, w, h in rectangles(board)]
    ruler_y = page[1] - MARGIN_M
    drawn += [_filled((left, ruler_y, RULER_M, 0.0003), page[1])]
    drawn += [_filled((left + at, ruler_y - 0.002, 0.0003, 0.002), page[1]) for at in (0.0, RULER_M - 0.0003)]
    text = (
        f"ChArUco {board.squares_x} x {board.squares_y}, {board.dictionary}, square {1e3 * board.square_m:.2f} mm, "
        f"marker {1e3 * board.marker_m:.2f} mm. Print at 100 %: the line is 100 mm long. Keep the board flat."
    )
    drawn += [
        f"BT /F 7 Tf {left * POINTS_PER_M:.3f} {(page[1] - ruler_y - 0.004) * POINTS_PER_M:.3f} Td ({text}) Tj ET"
    ]
    return _document("\n".join(drawn), page)


def _markers(board: BoardConfig) -> dict[tuple[int, int], int]:
    """Return the number of the marker in each white square, by the square's column and row."""
    made = cv_board(board)
    centres = [np.asarray(points)[:, :2].mean(axis=0) / board.square_m for points in made.getObjPoints()]
    return {(int(x), int(y)): int(number) for (x, y), number in zip(centres, made.getIds().ravel(), strict=True)}


def _dark_runs(line: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield start and end of the runs of dark cells: one rectangle each, so that no viewer shows a gap between two."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (line < 128).astype(int), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _filled(rectangle: Rectangle, page_height_m: float) -> str:
    """Return PDF's commands for a filled rectangle; its y axis points up."""
    x, y, width, height = rectangle
    numbers = (x, page_height_m - y - height, width, height)
    return " ".join(f"{value * POINTS_PER_M:.4f}" for value in numbers) + " re f"


def _document(content: str, page_m: tuple[float, float]) -> bytes:
    """Return a PDF file of one page (PDF 1.4, ISO 32000, section 7.5)."""
    size = " ".join(f"{side * POINTS_PER_M:.4f}" for side in page_m)
    objects = [
        f"<< /Type /{ROOT} /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] /Contents 4 0 R "
        "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    ]
    body, starts = "%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        starts.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    count = len(objects) + 1
    trailer = f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")
