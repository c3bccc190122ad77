"""Numbers for a calibration that were collected otherwise: rows in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["NUMBERS_EPILOG", "poses_of", "read_collected", "rows_of"]

NUMBERS_EPILOG = "Poses are those of the tool centre point, base frame: x y z [m], then a quaternion x y z w."
MAX_BYTES = 50_000_000


def read_collected(path: Path) -> Mapping[str, Any]:
    """Read the file.

    Raises:
        CalibrationError: There is no such file, or it is no mapping of names to numbers.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        content = yaml.safe_load(raw.decode()) if len(raw) <= MAX_BYTES else None
    except OSError as error:
        raise CalibrationError(f"{path}: expected a file of collected numbers, found {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise CalibrationError(f"{path}: expected a file of collected numbers, found no valid YAML") from None
    if not isinstance(content, Mapping):
        raise CalibrationError(f"{path}: expected names with rows of numbers, such as poses, found none")
    return content


def rows_of(content: Mapping[str, Any], name: str, width: int | None, path: Path) -> Array:
    """Return the rows of one name: shape (n, width), or (n,) if `width` is None.

    Raises:
        CalibrationError: There are none, or they have another shape, or a number is not finite.
    """
    if name not in content:
        raise CalibrationError(f"{path}: expected {name}, found {', '.join(map(str, content)) or 'nothing'}")
    wanted = "rows of numbers" if width is None else f"rows of {width} numbers"
    try:
        rows = np.asarray(content[name], np.float64)
    except (TypeError, ValueError):
        raise CalibrationError(f"{path}: {name}: expected {wanted}, found something else") from None
    if rows.ndim != (1 if width is None else 2) or (width is not None and rows.shape[1] != width) or not len(rows):
        raise CalibrationError(f"{path}: {name}: expected {wanted}, found shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise CalibrationError(f"{path}: {name}: expected finite numbers, found NaN or infinity")
    return rows


def poses_of(content: Mapping[str, Any], name: str, path: Path) -> Array:
    """Return poses with unit quaternions. Shape (n, 7); [m], xyzw.

    Raises:
        CalibrationError: As for `rows_of`, or a quaternion is not of length 1.
    """
    poses = rows_of(content, name, 7, path)
    sizes = np.linalg.norm(poses[:, 3:], axis=1)
    if np.abs(sizes - 1.0).max() > 0.01:
        worst = int(np.abs(sizes - 1.0).argmax())
        raise CalibrationError(
            f"{path}: {name}: expected unit quaternions x y z w, found length {sizes[worst]:.3f} in row {worst + 1}"
        )
    poses[:, 3:] /= sizes[:, None]
    return poses
