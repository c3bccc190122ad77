"""Measure the cell: cameras, workspace, tool, gripper, device and latencies. Each step writes one dated file."""

from __future__ import annotations

__all__ = ["EPILOG", "STEPS"]

# A step's module is `steadyhand.calibrate.<name>`, with `_` for `-`; like a verb's, it is imported only when asked for.
STEPS = {
    "board": "write the calibration board as a PDF of true size",
    "intrinsics": "measure a camera's focal length, centre and distortion",
    "collect": "move about the board, and save pictures and poses for intrinsics and hand-eye",
    "hand-eye": "measure a camera's pose on the tool or beside the robot",
    "reference": "take a camera's reference picture, for check",
    "check": "tell whether a camera was moved since its reference",
    "workspace": "safety box, nominal orientation and park position, from poses that a person takes",
    "tool": "tip of the tool by turning about a point, and the box around it",
    "wrench": "bias, payload and sign of the measured wrench",
    "gripper": "the open and the closed end of the gripper",
    "device": "axes and signs of the input device, from nudges",
    "leader": "offsets of a leader arm's joints, held in the robot's reset pose",
    "crop": "the part of a camera's picture that its frames show",
    "latency": "latency of the command path and of each camera",
    "show": "list calibration files: kind, device, age, settings, residuals",
}

EPILOG = (
    "A run uses the files that calibration.files lists, refuses an old, edited or foreign one, and names them in its\n"
    "manifest: steadyhand record calibration.files=[calibrations/workspace-fr3-20260101-120000.yaml]\n"
    "docs/calibration.md describes each step.\n"
    "example: steadyhand calibrate show calibrations"
)
