"""The reference of a camera: its picture and the edge points that stay in place, as a calibration file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from steadyhand.calibration.drift import Drift, EdgePoints, edge_points, find_drift, points_at, stable_points
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotState
from steadyhand.runtime.calibration_file import Calibration, CalibrationError, read_calibration, write_calibration
from steadyhand.runtime.camera_calibration_settings import DriftConfig

__all__ = ["ArmPose", "arm_pose_of", "compare", "read_reference", "reference_points", "write_reference"]

KIND = "reference"


@dataclass(frozen=True)
class ArmPose:
    """Pose of the arm at the reference of a camera on it.

    Attributes:
        tool: Measured poses of the tools, base frame. Shape (n_arms, 7); [m], xyzw.
        joints: Joint positions, with which a person can bring the arm back there. Shape (n_arms, n_joints); [rad].
        openings: Openings of the grippers, which a camera on the arm sees. Shape (n_arms,); [m].
    """

    tool: Array
    joints: Array
    openings: Array

    @classmethod
    def of(cls, state: RobotState) -> ArmPose:
        """Return the pose of a measured state."""
        return cls(state.tcp_pose.copy(), state.joint_position.copy(), state.gripper_width.copy())


def reference_points(pictures: Sequence[NDArray[np.uint8]], wanted: DriftConfig) -> EdgePoints:
    """Return the edge points of the first picture that all pictures show at the same place.

    Args:
        pictures: Pictures (h, w, 3) of the unmoved camera, with arm and workpieces in different places.
        wanted: Settings of the search.

    Raises:
        CalibrationError: The pictures differ in size, or show too few such points.
    """
    points = edge_points(pictures[0], wanted)
    for picture in pictures[1:]:
        if picture.shape != pictures[0].shape:
            raise CalibrationError(f"expected pictures of one size, found {pictures[0].shape} and {picture.shape}")
        points = points.chosen(stable_points(points, picture, wanted))
    if len(points.places) < wanted.min_edges:
        raise CalibrationError(
            f"expected at least {wanted.min_edges} edge points that stay in place, found {len(points.places)}; show "
            "more of the cell that does not move, such as edges of the table or printed marks"
        )
    return points


def write_reference(
    folder: Path,
    device: str,
    belongs_to: Mapping[str, Any],
    picture: NDArray[np.uint8],
    points: EdgePoints,
    count: int,
    arm: ArmPose | None = None,
) -> Path:
    """Write a reference of `count` pictures, and return the path of its file.

    `arm` is the pose of the arm for a camera on it; None for a camera beside the robot. The others are as in
    `write_calibration` and `reference_points`.
    """
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    height, width = picture.shape[:2]
    return write_calibration(
        folder,
        KIND,
        device,
        belongs_to=belongs_to,
        sets={},
        values={
            "width": width,
            "height": height,
            "places_px": points.places.astype(int).tolist(),
            "tool_pose": None if arm is None else arm.tool.tolist(),
            "joint_position_rad": None if arm is None else arm.joints.tolist(),
            "gripper_width_m": None if arm is None else arm.openings.tolist(),
        },
        residuals={"edge_points": len(points.places), "pictures": count},
        png=file.getvalue(),
    )


def read_reference(path: Path) -> tuple[Calibration, EdgePoints]:
    """Read a reference, and the points of its picture.

    Raises:
        CalibrationError: File or picture is missing, damaged, edited, or of another kind.
    """
    found = read_calibration(path, KIND)
    if found.picture is None:
        raise CalibrationError(f"{path}: expected a picture beside the file, found none; take the reference again")
    beside = path.parent / Path(found.picture.file).name
    try:
        raw = beside.read_bytes()
    except OSError as error:
        raise CalibrationError(f"{beside}: expected the reference's picture, found {error.strerror}") from None
    if hashlib.sha256(raw).hexdigest() != found.picture.sha256:
        raise CalibrationError(f"{beside}: expected the picture as it was written, found an edited one; take it again")
    try:
        picture = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
        places = np.array(found.values["places_px"], dtype=np.float64).reshape(-1, 2)
    except (KeyError, ValueError, UnidentifiedImageError):
        raise CalibrationError(f"{path}: expected a picture and its edge points, found others; take it again") from None
    return found, points_at(picture, places)


def arm_pose_of(reference: Calibration) -> ArmPose | None:
    """Return the pose of the arm at the reference of a camera on it; None for a camera beside the robot.

    Raises:
        CalibrationError: The file has something else in its place.
    """
    values = reference.values
    if values.get("tool_pose") is None:
        return None
    try:
        tool = np.array(values["tool_pose"], dtype=np.float64).reshape(-1, 7)
        joints = np.array(values["joint_position_rad"], dtype=np.float64).reshape(len(tool), -1)
        return ArmPose(tool, joints, np.array(values["gripper_width_m"], dtype=np.float64).reshape(len(tool)))
    except (KeyError, TypeError, ValueError):
        raise CalibrationError(
            f"reference of {reference.device}: expected the pose of the arm (tool_pose, joint_position_rad, "
            "gripper_width_m), found something else; take it again"
        ) from None


def compare(path: Path, picture: NDArray[np.uint8], wanted: DriftConfig) -> Drift:
    """Compare a picture (h, w, 3) of the camera with its reference.

    Raises:
        CalibrationError: The reference cannot be used, the picture has another size, or shows too little of it.
    """
    found, points = read_reference(path)
    expected, size = (found.values.get("width"), found.values.get("height")), (picture.shape[1], picture.shape[0])
    if expected != size:
        raise CalibrationError(
            f"{path}: expected a picture of {expected[0]} x {expected[1]}, found {size[0]} x {size[1]}; "
            "this is another camera's reference, or calibration.pictures differs"
        )
    return find_drift(points, picture, wanted)
