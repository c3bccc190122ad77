"""Calibrations of hand-eye, intrinsics, workspace, device axes and latency, written as dated YAML files."""
