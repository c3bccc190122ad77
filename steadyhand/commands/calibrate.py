"""Measure the cell: cameras, workspace, tool, gripper, device and latencies. Each step writes one dated file."""

from __future__ import annotations

__all__ = ["EPILOG", "STEPS"]

# A step's module is `steadyhand.calibrate.<name>`, with `_` for `-`; like a verb's, it is imported only when asked for.
STEPS = {
    "board": "write the calibration board as a PDF of true size",
    "intrinsics": "measure a camera's focal length, centre and distortion",
    "hand-eye": "measure a camera's pose on the tool or beside the robot",
    "reference": "take a camera's reference picture, for check",
    "check": "tell whether a camera was moved since its reference",
    "show": "list calibration files: kind, device, age, settings, residuals",
}

EPILOG = (
    "A run uses the files that calibration.files lists, refuses an old, edited or foreign one, and names them in its\n"
    "manifest: steadyhand record calibration.files=[calibrations/workspace-fr3-20260101-120000.yaml]\n"
    "docs/calibration.md describes each step.\n"
    "example: steadyhand calibrate show calibrations"
)
