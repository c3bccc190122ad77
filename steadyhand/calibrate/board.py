"""Write the calibration board as a PDF of true size."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.calibration.board_sheet import board_page
from steadyhand.output import check_output
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Print it at 100 %, glue it to a flat plate, measure a square with a calliper, and set its side:\n"
    "calibration.board.square_m=0.0251\n"
    "example: steadyhand calibrate board --output board.pdf calibration.board.square_m=0.03"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for the file."""
    parser.add_argument("--output", metavar="FILE", type=Path, default=Path("board.pdf"), help="the PDF (board.pdf)")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write the PDF."""
    board = build(CalibrationSettings, compose(overrides)["calibration"], "calibration").board
    page = board_page(board)
    check_output(options.output, "--output")
    atomic_write_bytes(options.output, page)
    say(
        f"{options.output}: {board.squares_x} x {board.squares_y} squares of {1e3 * board.square_m:g} mm; print it at "
        "100 %, and check that the line is 100 mm long"
    )
    return 0
