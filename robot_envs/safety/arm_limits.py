"""Limits of one arm of several: its own box, speeds and forces, where they differ from those of the cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from steadyhand.robot_envs.safety.region import Extent

__all__ = ["ArmLimits", "boxes_overlap"]


@dataclass(frozen=True)
class ArmLimits:
    """Limits of one arm; null = that of the cell. The names are those of `SafetyLimits`.

    Attributes:
        workspace_low_m: Lower corner of the arm's box, base frame. Shape (3,).
        workspace_high_m: Upper corner. Shape (3,).
        nominal_quat: Orientation from which the tilt is measured, xyzw, base frame. Shape (4,).
        max_tilt_rad: Largest angle from it.
        max_tcp_speed_m_s: Largest speed of the commanded position.
        max_tcp_angular_speed_rad_s: Largest angular speed of the commanded orientation.
        max_force_n: Measured force beyond which the robot is stopped.
        max_torque_nm: Measured torque beyond which the robot is stopped.
        park_position_m: Position of the TCP during the operator's break, base frame. Shape (3,); null = the start of
            the newest episode.
        extent: Box around the arm's tool and the part that it holds.
    """

    workspace_low_m: tuple[float, ...]
    workspace_high_m: tuple[float, ...]
    nominal_quat: tuple[float, ...]
    max_tilt_rad: float | None = None
    max_tcp_speed_m_s: float | None = None
    max_tcp_angular_speed_rad_s: float | None = None
    max_force_n: float | None = None
    max_torque_nm: float | None = None
    park_position_m: tuple[float, ...] | None = None
    extent: Extent | None = None

    @property
    def given(self) -> Mapping[str, Any]:
        """The limits that differ from those of the cell, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def boxes_overlap(one: ArmLimits, other: ArmLimits) -> bool:
    """Return whether the boxes of two arms have a common point."""
    pairs = zip(one.workspace_low_m, one.workspace_high_m, other.workspace_low_m, other.workspace_high_m, strict=True)
    return all(low < other_high and other_low < high for low, high, other_low, other_high in pairs)
