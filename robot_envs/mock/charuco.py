"""A ChArUco board of the mock: a thin box with the printed pattern, and the exact places of its corners.

The board's frame: the origin is the middle of the printed face, x points to the picture's right, y up, and z out of the
face. A board that the hand holds hangs upright below the TCP and faces along the tool's x axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, quat_from_matrix
from steadyhand.robot_envs.mock.textures import Texture
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.ranges import expect, expect_above, expect_within

__all__ = ["KIND", "CharucoBoard", "board_in_tool", "board_textures", "board_xml", "find_board", "opencv_in_board"]

KIND = "charuco_board"
THICKNESS_M = 0.004
BELOW_TCP_M = 0.01  # of the upper edge of a held board, so that the fingers cover no marker
SQUARE_PIXELS = 96  # of the texture: with fewer, some small markers are not read in an oblique view
LARGEST_SQUARES = 32


@dataclass(frozen=True)
class CharucoBoard:
    """Description of a board.

    Attributes:
        squares_x: Number of squares along x.
        squares_y: Number of squares along y.
        square_m: Edge of a square.
        marker_m: Edge of a marker; beyond 0.7 squares the detector's corners are worse in an oblique view.
        dictionary: Name of the markers' dictionary in OpenCV, such as DICT_4X4_50.
    """

    squares_x: int
    squares_y: int
    square_m: float
    marker_m: float
    dictionary: str

    def __post_init__(self) -> None:
        expect_within(self, 2, LARGEST_SQUARES, "squares_x", "squares_y")
        expect_above(self, 0.0, "marker_m")
        expect(self.square_m > self.marker_m, "square_m", f"more than marker_m, {self.marker_m:g}", self.square_m)
        expect(self.dictionary.startswith("DICT_"), "dictionary", "a name such as DICT_4X4_50", self.dictionary)

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height of the printed face."""
        return self.squares_x * self.square_m, self.squares_y * self.square_m

    def corners(self) -> Array:
        """Return the inner corners of the squares in the board's frame, in the order of OpenCV's ids.

        Returns:
            Corners, row by row from the upper left. Shape ((squares_x - 1) * (squares_y - 1), 3); [m].
        """
        width, height = self.size_m
        columns, rows = np.meshgrid(np.arange(1, self.squares_x), np.arange(1, self.squares_y))
        x, y = columns.ravel() * self.square_m - width / 2, height / 2 - rows.ravel() * self.square_m
        return np.stack([x, y, np.zeros_like(x)], axis=1)

    def opencv(self) -> Any:
        """Return OpenCV's `CharucoBoard`.

        Raises:
            ConfigError: OpenCV is not installed, or has no such dictionary.
        """
        try:
            import cv2  # an optional package: only scenes with a board need it
        except ImportError as error:
            raise ConfigError(
                f"{KIND}: expected OpenCV, found none ({error}); pip install opencv-python-headless"
            ) from error
        number = getattr(cv2.aruco, self.dictionary, None)
        if number is None:
            raise ConfigError(
                f"{KIND}.dictionary: OpenCV {cv2.__version__} has no {self.dictionary!r}; try DICT_4X4_50"
            )
        markers = cv2.aruco.getPredefinedDictionary(number)
        return cv2.aruco.CharucoBoard((self.squares_x, self.squares_y), self.square_m, self.marker_m, markers)

    def picture(self) -> NDArray[np.uint8]:
        """Return the printed face. Shape (squares_y * 96, squares_x * 96); grey.

        Raises:
            ConfigError: As for `opencv`.
        """
        size = self.squares_x * SQUARE_PIXELS, self.squares_y * SQUARE_PIXELS
        picture: NDArray[np.uint8] = self.opencv().generateImage(size, marginSize=0, borderBits=1)
        return picture


def find_board(description: Mapping[str, Any]) -> CharucoBoard:
    """Build the board of a scene's description.

    Raises:
        ConfigError: A key or value is wrong.
    """
    return build(CharucoBoard, {key: value for key, value in description.items() if key != "kind"}, KIND)


def board_xml(board: CharucoBoard, name: str, tcp_m: float | None = None) -> str:
    """Return a board as MJCF.

    Args:
        board: The board.
        name: Name of the workpiece, and of the board's material.
        tcp_m: Distance of the TCP from the hand, for a board that the hand holds; None = it stands in the cell.
    """
    width, height = board.size_m
    at = pose([0.0, 0.0, -THICKNESS_M / 2])
    if tcp_m is not None:
        at = pose_compose(pose_compose(pose([0.0, 0.0, tcp_m]), board_in_tool(board)), at)
    x, y, z, qx, qy, qz, qw = (f"{value:.9f}" for value in at)
    look = "fixture" if tcp_m is None else "peg"
    return (
        f'<geom class="{look}" type="box" rgba="1 1 1 1" material="{name}" mass="0.05" '
        f'size="{width / 2} {height / 2} {THICKNESS_M / 2}" pos="{x} {y} {z}" quat="{qw} {qx} {qy} {qz}"/>'
    )


def board_textures(workpieces: Mapping[str, Mapping[str, Any]]) -> list[Texture]:
    """Return the printed faces of all boards among a scene's workpieces, by their names.

    Raises:
        ConfigError: A board's description is wrong, or OpenCV is missing.
    """
    boards = {name: found for name, found in workpieces.items() if found.get("kind") == KIND}
    return [Texture(name, find_board(description).picture()) for name, description in boards.items()]


def board_in_tool(board: CharucoBoard) -> Array:
    """Return the pose of a held board in the tool frame, whose origin is the TCP. Shape (7,); [m], xyzw."""
    # Columns: the board's x, y and z in the tool; the tool's z axis points away from the hand.
    turned = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    return pose([0.0, 0.0, BELOW_TCP_M + board.size_m[1] / 2], quat_from_matrix(turned))


def opencv_in_board(board: CharucoBoard) -> Array:
    """Return the pose of OpenCV's board frame in the board's: upper left, y down, z into the face. Shape (7,)."""
    width, height = board.size_m
    return pose([-width / 2, height / 2, 0.0], [1.0, 0.0, 0.0, 0.0])
