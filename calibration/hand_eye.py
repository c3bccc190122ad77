"""Pose of a camera on the tool or beside the robot, from pictures of a board and the robot's measured poses.

Both mounts are one equation: robot_i X board_i = Y for all views i. With the camera on the tool, robot_i is
tool_in_base, X camera_in_tool and Y board_in_base. With the camera beside the robot and the board on the tool, robot_i
is base_in_tool, X camera_in_base and Y board_in_tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.axxb import motion_scale, relative_motions
from steadyhand.calibration.board import Corners, corner_points
from steadyhand.calibration.board_pose import board_poses
from steadyhand.calibration.camera_model import CameraModel
from steadyhand.calibration.hand_eye_start import robust_start
from steadyhand.calibration.pose_spread import PoseSpreadError, check_spread
from steadyhand.calibration.reprojection import (
    Estimate,
    Noise,
    Refined,
    Views,
    board_in_camera,
    predicted,
    refine,
    view_errors,
)
from steadyhand.calibration.rotations import Rigid, angle_of, inverse, pose_from_rigid, rigid_from_pose
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import BoardConfig, HandEyeConfig

__all__ = ["HandEye", "HoldOut", "Mount", "calibrate_hand_eye"]

Mount = Literal["tool", "base"]  # the frame in which the camera is fixed
ROUNDS = 10
BEST_SHARE = 0.6  # of the poses, for the test of the scale: fewer than this are outliers
SURE = 3.0  # standard deviations


@dataclass(frozen=True)
class HoldOut:
    """Root mean square error of views that the calibration had not seen: corners, and the board's centre and tilt."""

    px: float
    mm: float
    deg: float


@dataclass(frozen=True)
class HandEye:
    """A hand-eye calibration.

    Attributes:
        mount: tool or base: the frame of `camera`.
        camera: camera_in_tool, or camera_in_base. Shape (7,): position [m], quaternion xyzw.
        board: board_in_base, or board_in_tool. Shape (7,).
        model: The camera's intrinsics, refined if that was asked for.
        position_std_m: Standard deviation of the camera's position, in the frame of `mount` [m]. Shape (3,).
        rotation_std_rad: Standard deviation of its rotation about its own axes [rad]. Shape (3,).
        used: Poses that were used. Shape (n,); bool.
        view_px: Error of each view's corners, of all n [px]. Shape (n,).
        view_mm: Distance of the board's centre, as the camera alone sees it, from its prediction [mm]. Shape (n,).
        view_deg: The same of the board's orientation [deg]. Shape (n,).
        rms_px: Root mean square of the used views' corners [px].
        hold_out: Errors of views that were left out.
        scale: Ratio of the robot's motion to the board's.
        scale_std: Its standard deviation.
        pixels: Corners of the used views [px]. Shape (m, 2).
        residuals_px: Found place minus predicted place of each [px]. Shape (m, 2).
    """

    mount: Mount
    camera: Array
    board: Array
    model: CameraModel
    position_std_m: Array
    rotation_std_rad: Array
    used: NDArray[np.bool_]
    view_px: Array
    view_mm: Array
    view_deg: Array
    rms_px: float
    hold_out: HoldOut
    scale: float
    scale_std: float
    pixels: Array
    residuals_px: Array


def calibrate_hand_eye(
    board: BoardConfig,
    shown: Sequence[Corners],
    poses: Array,
    model: CameraModel,
    mount: Mount,
    wanted: HandEyeConfig,
    refine_intrinsics: bool = False,
) -> HandEye:
    """Measure a camera's pose.

    Args:
        board: The board.
        shown: Its corners in each of n pictures.
        poses: The measured poses of the TCP in base. Shape (n, 7): position [m], quaternion xyzw.
        model: The camera's intrinsics.
        mount: tool = the camera is on the tool, the board stands still; base = the other way round.
        wanted: Requirements of the poses, and the expected noise.
        refine_intrinsics: Whether the intrinsics are refined too.

    Raises:
        PoseSpreadError: The poses do not determine the camera's pose; the line names the pose to add.
        CalibrationError: The pictures are of another size, the board's squares have another size, or too many poses
            disagree.
    """
    _check_input(shown, poses, model)
    robot = rigid_from_pose(poses) if mount == "tool" else inverse(rigid_from_pose(poses))
    check_spread(robot[0], mount, wanted)
    points = corner_points(board)
    views = Views.stacked(robot, shown, points)
    seen = board_poses(shown, points, model)
    start = robust_start(views, seen, model.vector, wanted)
    scale, scale_std = _check_scale(board, robot, seen, view_errors(start, views), start, wanted)
    refined, used = _refined(start, views, wanted, refine_intrinsics)
    check_spread(robot[0][used], mount, wanted)
    estimate, kept = refined.estimate, views.chosen(used)
    residuals = kept.pixels - predicted(estimate, kept)
    view_mm, view_deg = _board_errors(estimate, robot, seen, points)
    return HandEye(
        mount,
        pose_from_rigid(estimate.eye),
        pose_from_rigid(estimate.board),
        CameraModel.from_vector(model.width, model.height, estimate.camera),
        refined.position_std_m,
        refined.rotation_std_rad,
        used,
        view_errors(estimate, views),
        view_mm,
        view_deg,
        _rms(np.linalg.norm(residuals, axis=1)),
        _hold_out(estimate, views, seen, used, wanted, points),
        scale,
        scale_std,
        kept.pixels,
        residuals,
    )


def _check_input(shown: Sequence[Corners], poses: Array, model: CameraModel) -> None:
    if poses.ndim != 2 or poses.shape[1] != 7 or len(poses) != len(shown):
        raise CalibrationError(f"expected one pose of 7 numbers for each of {len(shown)} pictures, found {poses.shape}")
    if not np.isfinite(poses).all() or np.abs(np.linalg.norm(poses[:, 3:], axis=1) - 1.0).max(initial=0.0) > 1e-3:
        raise CalibrationError("expected poses of finite numbers with unit quaternions xyzw, found others")
    for corners in shown:
        if (corners.width, corners.height) != (model.width, model.height):
            raise CalibrationError(
                f"expected pictures of {model.width} x {model.height}, as the intrinsics say, found {corners.width} x "
                f"{corners.height}; give the intrinsics of this camera at this size"
            )


def _check_scale(
    board: BoardConfig, robot: Rigid, seen: Rigid, errors: Array, start: Estimate, wanted: HandEyeConfig
) -> tuple[float, float]:
    """Compare the robot's motion with the board's, over the poses that agree best; return their ratio and its std."""
    best = np.argsort(errors)[: max(int(np.ceil(BEST_SHARE * len(errors))), 4)]
    motions = relative_motions((robot[0][best], robot[1][best]), (seen[0][best], seen[1][best]))
    scale, std = motion_scale(*motions, start.eye[0])
    if abs(scale - 1.0) > max(wanted.max_scale_error, SURE * std):
        raise CalibrationError(
            f"calibration.board.square_m: expected squares of {1e3 * board.square_m:.2f} mm, found that the robot's "
            f"motion fits squares of {1e3 * scale * board.square_m:.2f} mm; measure a printed square and set it"
        )
    return scale, std


def _refined(start: Estimate, views: Views, wanted: HandEyeConfig, free: bool) -> tuple[Refined, NDArray[np.bool_]]:
    """Refine, and choose the poses that agree, in turns until the choice is stable."""
    estimate, used = start, _agreeing(view_errors(start, views), wanted)
    for number in range(ROUNDS):
        refined = refine(estimate, views.chosen(used), _noise(wanted), free)
        estimate = refined.estimate
        agreeing = _agreeing(view_errors(estimate, views), wanted)
        # The first round fits the noise to the residuals of the start, which are too large.
        if (agreeing == used).all() and number > 0:
            break
        used = agreeing
    removed = int(np.sum(~used))
    if removed > wanted.max_outlier_share * len(used):
        numbers = ", ".join(str(number + 1) for number in np.flatnonzero(~used))
        raise CalibrationError(
            f"expected at most {wanted.max_outlier_share:.0%} of the poses to disagree with the others, found "
            f"{removed} of {len(used)} (pictures {numbers}); check that pose and picture belong together, that the "
            "arm stood still, and that neither board nor camera moved on its mount"
        )
    if int(used.sum()) < wanted.min_poses:
        raise PoseSpreadError(f"expected at least {wanted.min_poses} poses that agree, found {used.sum()}; add poses")
    return refined, used


def _agreeing(errors: Array, wanted: HandEyeConfig) -> NDArray[np.bool_]:
    agreeing: NDArray[np.bool_] = errors <= max(wanted.outlier_floor_px, wanted.outlier_ratio * np.median(errors))
    return agreeing


def _hold_out(
    estimate: Estimate, views: Views, seen: Rigid, used: NDArray[np.bool_], wanted: HandEyeConfig, points: Array
) -> HoldOut:
    """Predict each part of the used views from the others (cross-validation)."""
    numbers = np.flatnonzero(used)
    px, mm, deg = [], [], []
    for fold in range(min(wanted.folds, len(numbers))):
        left_out = np.zeros(views.count, bool)
        left_out[numbers[fold :: wanted.folds]] = True
        found = refine(estimate, views.chosen(used & ~left_out), _noise(wanted), False).estimate
        px.append(view_errors(found, views)[left_out])
        moved, turned = _board_errors(found, views.robot, seen, points)
        mm.append(moved[left_out])
        deg.append(turned[left_out])
    return HoldOut(*(_rms(np.concatenate(rows)) for rows in (px, mm, deg)))


def _board_errors(estimate: Estimate, robot: Rigid, seen: Rigid, points: Array) -> tuple[Array, Array]:
    """Return distance of the board's centre [mm] and angle [deg] between predicted and seen pose. Shapes (n,)."""
    turn, shift = board_in_camera(estimate, robot)
    centre = points.mean(axis=0)
    apart = (turn @ centre + shift) - (seen[0] @ centre + seen[1])
    return 1e3 * np.linalg.norm(apart, axis=1), np.degrees(angle_of(np.swapaxes(turn, -1, -2) @ seen[0]))


def _noise(wanted: HandEyeConfig) -> Noise:
    return Noise(wanted.robot_position_std_m, wanted.robot_rotation_std_rad)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
