"""Files of measured TCP poses: CSV with a header, or JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.calibration.rotations import pose_from_rigid
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.logging import quoted

__all__ = ["read_poses"]

COLUMNS = ("x", "y", "z", "qx", "qy", "qz", "qw")
MAX_BYTES = 5_000_000
UNIT = 1e-3  # a quaternion's length, or a matrix, may differ from that of a rotation by this much
FORMS = (
    "a CSV file with the columns x, y, z [m], qx, qy, qz, qw, or a JSON list of poses of 7 numbers or of 4 x 4 matrices"
)


def read_poses(path: Path) -> tuple[Array, list[str] | None]:
    """Read TCP poses in base.

    Returns:
        The poses (n, 7), position [m] and unit quaternion xyzw; and the picture of each, if the file names them in a
        column or key `picture`.

    Raises:
        CalibrationError: The file cannot be read, or an entry is no pose.
    """
    try:
        raw = path.read_bytes()
        text = raw[:MAX_BYTES].decode()
    except OSError as error:
        raise CalibrationError(f"{path}: expected a file of poses, found {error.strerror}") from None
    except UnicodeDecodeError:
        raise CalibrationError(f"{path}: expected {FORMS}, found no UTF-8 text") from None
    try:
        rows = _from_json(text) if path.suffix == ".json" else _from_csv(text)
    except (ValueError, TypeError, KeyError, csv.Error, RecursionError):
        raise CalibrationError(f"{path}: expected {FORMS}, found another content") from None
    if not rows:
        raise CalibrationError(f"{path}: expected {FORMS}, found no pose")
    poses = np.array([_pose(values, f"{path}: pose {number}") for number, (values, _) in enumerate(rows, start=1)])
    names = [name for _, name in rows if name is not None]
    if names and len(names) != len(rows):
        raise CalibrationError(f"{path}: expected the picture of every pose or of none, found {len(names)}")
    return poses, names or None


def _from_csv(text: str) -> list[tuple[Array, str | None]]:
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    return [(np.array([float(row[name]) for name in COLUMNS]), row.get("picture")) for row in rows]


def _from_json(text: str) -> list[tuple[Array, str | None]]:
    rows: list[tuple[Array, str | None]] = []
    entries: Any = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("no list")
    for entry in entries:
        values, name = (entry["pose"], entry.get("picture")) if isinstance(entry, dict) else (entry, None)
        rows.append((np.array(values, dtype=np.float64), None if name is None else str(name)))
    return rows


def _pose(values: Array, where: str) -> Array:
    """Return a pose (7,) of 7 numbers or of a matrix (4, 4)."""
    if values.shape not in ((7,), (4, 4)):
        raise CalibrationError(f"{where}: expected 7 numbers or a 4 x 4 matrix, found shape {values.shape}")
    if not np.isfinite(values).all():
        raise CalibrationError(f"{where}: expected finite numbers, found {quoted(str(values.ravel().tolist()))}")
    if values.shape == (7,):
        length = float(np.linalg.norm(values[3:]))
        if abs(length - 1.0) > UNIT:
            raise CalibrationError(
                f"{where}: expected a unit quaternion xyzw, found one of length {length:.4f}; "
                "check the order of the columns, and that these are no Euler angles"
            )
        return np.concatenate([values[:3], values[3:] / length])
    turn = values[:3, :3]
    wrong = max(float(np.abs(turn @ turn.T - np.eye(3)).max()), abs(float(np.linalg.det(turn)) - 1.0))
    if wrong > UNIT or not np.allclose(values[3], [0.0, 0.0, 0.0, 1.0]):
        raise CalibrationError(f"{where}: expected a rotation matrix with determinant 1, found an error of {wrong:.3g}")
    return pose_from_rigid((turn, values[:3, 3]))
