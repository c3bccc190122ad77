"""The settings of the group `calibration`."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.runtime.camera_calibration_settings import (
    BoardConfig,
    CameraCheckConfig,
    DriftConfig,
    HandEyeConfig,
    PicturesConfig,
)
from steadyhand.runtime.ranges import expect_above

__all__ = ["CalibrationSettings", "UsedCalibration"]


@dataclass(frozen=True)
class UsedCalibration:
    """A calibration file that gave settings of the run.

    Attributes:
        file: Path of the file.
        kind: Kind of the measurement.
        made: Time of the measurement, UTC, ISO 8601.
        sha256: Digest of the file's content.
    """

    file: str
    kind: str
    made: str
    sha256: str


@dataclass(frozen=True)
class CalibrationSettings:
    """The calibration files of a cell.

    Attributes:
        files: Paths, relative to the user's configuration folder or to the working folder.
        max_age_days: Largest age of a file [days].
        used: The files that `compose` has applied.
        board: The printed board.
        pictures: Requirements of its pictures.
        hand_eye: Requirements of the poses, and their noise.
        drift: Search of the check for a moved camera.
        check: That check at the start of a run.
    """

    files: tuple[str, ...]
    max_age_days: float
    used: tuple[UsedCalibration, ...]
    board: BoardConfig
    pictures: PicturesConfig
    hand_eye: HandEyeConfig
    drift: DriftConfig
    check: CameraCheckConfig

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_age_days")
