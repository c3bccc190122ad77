"""Home of hand-eye, intrinsics, workspace, device axes and latency calibration, written as dated YAML."""
