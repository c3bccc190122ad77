"""Amplification of errors by a linear system: whether the readings determine what is sought."""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.frames import Array

__all__ = ["amplification"]

_TINY = 1e-12


def amplification(system: Array, count: int) -> float:
    """Return the root of the number of readings over the least singular value of their system (m, k)."""
    smallest = float(np.linalg.svd(system, compute_uv=False)[-1])
    return float(np.sqrt(count)) / max(smallest, _TINY)
