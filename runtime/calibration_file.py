"""Dated calibration files: one YAML file for each measurement, with the settings that it gives and a digest.

The verbs of `steadyhand calibrate` write them; `compose` applies those that `calibration.files` lists. A file that was
edited, that is too old, or that belongs to another device is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.run_folder import atomic_write_bytes, make_folder

__all__ = ["KINDS", "Calibration", "CalibrationError", "Picture", "days_since", "read_calibration", "write_calibration"]

KINDS = (
    "intrinsics",
    "hand_eye",
    "workspace",
    "tool",
    "wrench",
    "gripper",
    "device",
    "leader",
    "crop",
    "latency",
    "reference",
)
FORMAT = 1
DIGEST = "digest"
DAY_S = 86_400.0
MAX_BYTES = 1_000_000


class CalibrationError(ConfigError):
    """A calibration file, or a measurement for one, that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Picture:
    """The picture beside a file: a plot of the residuals, or what the camera saw.

    Attributes:
        file: Name of the PNG file, in the folder of the calibration file.
        sha256: Digest of its bytes.
    """

    file: str
    sha256: str


@dataclass(frozen=True)
class Calibration:
    """One measurement.

    Attributes:
        kind: One of `KINDS`.
        device: Serial number or name of what was measured.
        made: Date and time of the measurement, UTC, ISO 8601.
        belongs_to: Settings that a configuration must have to use the file: `{camera.views.wrist.serial: "1234"}`.
        sets: Settings that the file gives: `{safety.workspace_low_m: [0.3, -0.2, 0.01]}`.
        values: The measured quantities, each with its unit in its name.
        residuals: How well the measurement fits, each with its unit in its name.
        picture: The picture beside the file; None = none.
        format: Version of the file's format.
    """

    kind: str
    device: str
    made: str
    belongs_to: dict[str, Any]
    sets: dict[str, Any]
    values: dict[str, Any]
    residuals: dict[str, Any]
    picture: Picture | None = None
    format: int = field(default=FORMAT)

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format: expected {FORMAT}, found {self.format}; calibrate again")
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, found {quoted(self.kind)}")
        if not self.device:
            raise ValueError("device: expected a serial number or a name, found ''")
        _time(self.made)

    @property
    def age_days(self) -> float:
        """Age by the wall clock [days]; below 0 if the clock was set back since."""
        return days_since(self.made)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the file says."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, allow_nan=False).encode()).hexdigest()


def write_calibration(
    folder: Path,
    kind: str,
    device: str,
    *,
    belongs_to: Mapping[str, Any],
    sets: Mapping[str, Any],
    values: Mapping[str, Any],
    residuals: Mapping[str, Any],
    png: bytes | None = None,
) -> Path:
    """Write `<kind>-<device>-<date>.yaml`, and its picture beside it; return the path of the YAML file.

    Numbers are Python's own (`float`, `int`), lists for arrays. `png` is the picture. The other arguments are as in
    `Calibration`.

    Raises:
        CalibrationError: A number is NaN or infinite, or of a type that YAML cannot hold. Nothing is written then.
    """
    now = wall_time_ns()
    stamp = datetime.fromtimestamp(now / 1e9, timezone.utc).strftime("%Y%m%d-%H%M%S")
    stem = f"{kind}-{re.sub(r'[^A-Za-z0-9_.]+', '_', device)}-{stamp}"
    picture = None if png is None else Picture(f"{stem}.png", hashlib.sha256(png).hexdigest())
    try:
        made = Calibration(
            kind, device, utc_text(now), dict(belongs_to), dict(sets), dict(values), dict(residuals), picture
        )
        content = {**asdict(made), DIGEST: made.digest}
        text = yaml.safe_dump(content, sort_keys=False, width=120)
    except (TypeError, ValueError, yaml.YAMLError) as error:
        raise CalibrationError(f"{kind}: expected finite numbers, found a value that cannot be kept: {error}") from None
    make_folder(folder)
    if picture is not None and png is not None:
        atomic_write_bytes(folder / picture.file, png)
    path = folder / f"{stem}.yaml"
    atomic_write_bytes(path, text.encode())
    return path


def read_calibration(path: Path, kind: str | None = None, max_age_days: float = math.inf) -> Calibration:
    """Read a file and check it.

    Args:
        path: The YAML file.
        kind: Expected kind; None = any.
        max_age_days: Largest age [days].

    Raises:
        CalibrationError: There is no such file, it is damaged or edited, of another kind, or too old.
    """
    content = _content(path)
    if not isinstance(content, dict) or not isinstance(content.get(DIGEST), str):
        raise CalibrationError(f"{path}: expected a calibration file, found no digest; steadyhand calibrate writes one")
    digest = content.pop(DIGEST)
    try:
        found = build(Calibration, content, "calibration")
        unchanged = found.digest == digest
    except (ConfigError, TypeError, ValueError, RecursionError) as error:
        raise CalibrationError(f"{path}: {error}") from None
    if not unchanged:
        raise CalibrationError(f"{path}: expected the file as it was written, found an edited one; calibrate again")
    if kind is not None and found.kind != kind:
        raise CalibrationError(f"{path}: expected kind {kind}, found {found.kind}")
    if found.age_days > max_age_days:
        raise CalibrationError(
            f"{path}: expected an age of at most {max_age_days:g} days, found {found.age_days:.0f}; calibrate again, "
            "or raise calibration.max_age_days"
        )
    return found


def _content(path: Path) -> Any:
    """Return what the YAML file says, not yet checked."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CalibrationError(f"{path}: expected a calibration file, found {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise CalibrationError(f"{path}: expected a calibration file, found more than {MAX_BYTES} bytes")
    try:
        return yaml.safe_load(raw.decode())
    except UnicodeDecodeError:
        raise CalibrationError(f"{path}: expected a calibration file, found no UTF-8 text") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise CalibrationError(f"{path}: expected a calibration file, found no valid YAML") from None


def days_since(made: str) -> float:
    """Return the time by the wall clock since a measurement [days]; below 0 if the clock was set back since.

    Args:
        made: ISO 8601, with a time zone.

    Raises:
        ValueError: It is no such time.
    """
    return (wall_time_ns() / 1e9 - _time(made)) / DAY_S


def _time(text: str) -> float:
    """Return an ISO 8601 time as seconds since 1970."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"made: expected a date and a time, ISO 8601, found {quoted(text)}") from None
    if parsed.tzinfo is None:
        raise ValueError(f"made: expected a time zone, found {quoted(text)}")
    return parsed.timestamp()
