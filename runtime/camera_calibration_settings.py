"""Settings of the steps that calibrate cameras: the board, the pictures, hand-eye and drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["BoardConfig", "CameraCheckConfig", "DriftConfig", "HandEyeConfig", "PicturesConfig"]

MOST_SQUARES = 40


@dataclass(frozen=True)
class BoardConfig:
    """A ChArUco board: a chessboard whose white squares hold ArUco markers.

    Attributes:
        squares_x: Squares along the longer side, the board's x axis.
        squares_y: Squares along the other side, the board's y axis.
        square_m: Side of a square [m]; measure it on the print.
        marker_m: Side of a marker, its black border included [m].
        dictionary: Name of OpenCV's marker dictionary, without `DICT_`: `5X5_100`.
        legacy_pattern: True for a board of OpenCV before 4.6 with an even number of rows: its first square is white.
    """

    squares_x: int
    squares_y: int
    square_m: float
    marker_m: float
    dictionary: str
    legacy_pattern: bool

    def __post_init__(self) -> None:
        expect_within(self, 3, MOST_SQUARES, "squares_x", "squares_y")
        expect_above(self, 0.0, "square_m", "marker_m")
        expect(self.marker_m < self.square_m, "marker_m", f"less than square_m={self.square_m:g}", self.marker_m)


@dataclass(frozen=True)
class PicturesConfig:
    """Requirements of the pictures of a board.

    Attributes:
        width: Width of the whole picture that a configured camera is asked for [px].
        height: Height of it [px].
        min_views: Smallest number of usable pictures.
        min_corners: A picture with fewer corners of the board is left out.
        max_edge_px: Width of a marker's edge in the picture, above which the picture counts as blurred [px].
        min_tilt_deg: A view counts as tilted above this angle between the board and the picture's plane [deg].
        outlier_ratio: A view is removed when its error is above this multiple of the median view's.
        outlier_floor_px: A view with a smaller error is never removed [px].
        max_focal_std: Largest standard deviation of the focal length, as a share of it.
    """

    width: int
    height: int
    min_views: int
    min_corners: int
    max_edge_px: float
    min_tilt_deg: float
    outlier_ratio: float
    outlier_floor_px: float
    max_focal_std: float

    def __post_init__(self) -> None:
        expect_at_least(self, 64, "width", "height")
        expect_at_least(self, 4, "min_views", "min_corners")
        expect_above(self, 0.0, "max_edge_px", "min_tilt_deg", "outlier_floor_px", "max_focal_std")
        expect_above(self, 1.0, "outlier_ratio")


@dataclass(frozen=True)
class HandEyeConfig:
    """Requirements of the poses, and the noise that the refinement expects.

    Attributes:
        min_poses: Smallest number of poses.
        min_rotation_deg: Largest rotation between two poses has to be at least this [deg].
        min_second_axis_deg: Root mean square of the rotations about the axis that is turned about second most [deg].
        robot_position_std_m: Expected standard deviation of the robot's measured position, per axis [m]. Only its ratio
            to `robot_rotation_std_rad` matters: the size of the robot's noise is fitted.
        robot_rotation_std_rad: Expected standard deviation of the robot's measured orientation, per axis [rad].
        outlier_ratio: A pose is removed when its error is above this multiple of the median pose's.
        outlier_floor_px: A pose with a smaller error is never removed [px].
        max_outlier_share: Largest share of removed poses.
        max_scale_error: Largest difference from 1 of the ratio of the robot's motion to the board's.
        samples: Subsets of poses that the search for outliers tries.
        folds: Parts of the hold-out check: each part is predicted from the others.
    """

    min_poses: int
    min_rotation_deg: float
    min_second_axis_deg: float
    robot_position_std_m: float
    robot_rotation_std_rad: float
    outlier_ratio: float
    outlier_floor_px: float
    max_outlier_share: float
    max_scale_error: float
    samples: int
    folds: int

    def __post_init__(self) -> None:
        expect_at_least(self, 4, "min_poses")
        expect_at_least(self, 2, "folds")
        expect_at_least(self, 1, "samples")
        expect_above(self, 0.0, "min_rotation_deg", "min_second_axis_deg", "outlier_floor_px")
        expect_above(self, 0.0, "max_scale_error", "robot_position_std_m", "robot_rotation_std_rad")
        expect_above(self, 1.0, "outlier_ratio")
        expect_within(self, 0.0, 0.49, "max_outlier_share")


@dataclass(frozen=True)
class DriftConfig:
    """Search of the check for a moved camera.

    Attributes:
        edges: Largest number of edge points that are compared.
        min_edges: Smallest number of edge points that have to be found again.
        search_px: Distance along an edge's normal that is searched, to either side [px].
        min_likeness: Smallest normalised correlation of an edge point with its reference, in [-1, 1].
        tolerance_px: Displacement up to which an edge point agrees with a motion of the picture [px].
        max_motion_px: Largest displacement of the picture's content of a camera that has not moved [px].
    """

    edges: int
    min_edges: int
    search_px: int
    min_likeness: float
    tolerance_px: float
    max_motion_px: float

    def __post_init__(self) -> None:
        expect_at_least(self, 20, "edges", "min_edges")
        expect_at_least(self, 4, "search_px")
        expect_within(self, 0.0, 1.0, "min_likeness")
        expect_above(self, 0.0, "tolerance_px", "max_motion_px")


@dataclass(frozen=True)
class CameraCheckConfig:
    """Check of the cameras at the start of a run, and after a break.

    Attributes:
        moved: Consequence of a moved camera: refuse = nothing moves; warn = one line, and the run goes on; skip = no
            check.
        timeout_s: Longest time in which the pictures of all cameras have to arrive [s].
        max_arm_px: A camera on the arm is not compared where the arm's distance from the pose of the reference may move
            its picture by more than this [px].
        near_m: Distance from a camera on the arm to the nearest thing that it sees [m].
        focal_widths: Focal length of a camera on the arm, in widths of its picture.
    """

    moved: Literal["refuse", "warn", "skip"]
    timeout_s: float
    max_arm_px: float
    near_m: float
    focal_widths: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "timeout_s", "max_arm_px", "near_m", "focal_widths")
