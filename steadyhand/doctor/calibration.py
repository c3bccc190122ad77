"""Check of the cameras against the reference pictures that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS"]

NAME = "cameras in place"


def check_cameras_in_place(config: Mapping[str, Any]) -> Finding | None:
    """Check that no camera with a reference was moved; None without a reference."""
    if not any(used["kind"] == "reference" for used in config["calibration"]["used"]):
        return None
    from steadyhand.calibration.camera_check import Placement
    from steadyhand.pipeline.camera_check import CameraCheck

    verdicts = list(CameraCheck(config).verdicts())
    found = "; ".join(map(str, verdicts))
    placements = {verdict.placement for verdict in verdicts}
    if placements & {Placement.MOVED, Placement.SILENT}:
        return broken(NAME, found, "steadyhand calibrate check says more; docs/calibration.md")
    if Placement.UNKNOWN in placements:
        return note(NAME, found, "steadyhand calibrate check says more; docs/calibration.md")
    return ok(NAME, found)


CHECKS = (check_cameras_in_place,)
