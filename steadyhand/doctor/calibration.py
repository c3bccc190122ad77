"""Check of the cameras against the reference pictures that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.doctor.finding import Finding, broken, ok

__all__ = ["CHECKS"]


def check_cameras_in_place(config: Mapping[str, Any]) -> Finding | None:
    """Check that no camera with a reference was moved; None without a reference."""
    if not any(used["kind"] == "reference" for used in config["calibration"]["used"]):
        return None
    from steadyhand.calibrate.check import drift_text, moved_cameras

    lines, wrong = [], False
    for name, drift in moved_cameras(config):
        lines.append(f"{name}: {drift_text(drift)}")
        wrong |= isinstance(drift, str) or drift.moved
    found = "; ".join(lines)
    if wrong:
        return broken("cameras in place", found, "steadyhand calibrate check says more; docs/calibration.md")
    return ok("cameras in place", found)


CHECKS = (check_cameras_in_place,)
