"""Rendered pictures of a board with the TCP's poses, in a folder, for the tests of the steps."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.calibration_scene import hand_eye_scene
from tests.board_kit import BOARD, SMALL, renderer


def write_cell(folder, count=14):
    """Write the pictures of the small camera on the tool, and the poses; return the true camera_in_tool."""
    rng = np.random.default_rng(11)
    eye, _, views, poses = hand_eye_scene(rng, BOARD, SMALL, count, "tool")
    (folder / "pictures").mkdir(parents=True)
    for number, pose in enumerate(views):
        Image.fromarray(renderer().render(pose)).save(folder / "pictures" / f"{number:02d}.png")
    rows = [",".join(repr(float(value)) for value in row) for row in poses]
    (folder / "poses.csv").write_text("\n".join(["x,y,z,qx,qy,qz,qw", *rows]) + "\n")
    return eye


@pytest.fixture(scope="session")
def cell(tmp_path_factory):
    """Return a folder with pictures and poses, and the true camera_in_tool."""
    folder = tmp_path_factory.mktemp("cell")
    return folder, write_cell(folder)
