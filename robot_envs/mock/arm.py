"""MJCF of an arm in primitive geometry, from its published Denavit-Hartenberg parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.mock.hand import hand_xml

__all__ = ["ArmModel", "Capsule", "arm_xml"]

Capsule = tuple[str, str, float]  # from "x y z", to "x y z", radius; [m], in the link's own frame


@dataclass(frozen=True)
class ArmModel:
    """Parameters of one arm. Every tuple has one entry for each joint, base first.

    Attributes:
        dh: Parameters a [m], d [m] and alpha [rad] in Craig's convention: a and alpha of the link before the joint.
        limits_rad: Lower and upper end of the range.
        home_rad: Initial posture of an episode's inverse kinematics.
        masses_kg: Masses of the links; the controller compensates gravity, so they only set the inertia.
        capsules: Geometry of the links.
        base: Radius and height of the pedestal [m].
        flange_m: Distance from the last joint's frame to the hand, along its z axis.
        hand_turn_rad: Rotation of the hand about that axis.
    """

    dh: tuple[tuple[float, float, float], ...]
    limits_rad: tuple[tuple[float, float], ...]
    home_rad: tuple[float, ...]
    masses_kg: tuple[float, ...]
    capsules: tuple[tuple[Capsule, ...], ...]
    base: tuple[float, float]
    flange_m: float
    hand_turn_rad: float

    def __post_init__(self) -> None:
        lengths = {len(self.dh), len(self.limits_rad), len(self.home_rad), len(self.masses_kg), len(self.capsules)}
        if len(lengths) != 1:
            raise ValueError(f"ArmModel: expected one entry for each joint in every tuple, found {sorted(lengths)}")

    @property
    def n_joints(self) -> int:
        """Number of joints."""
        return len(self.dh)


def arm_xml(
    arm: ArmModel, joint_damping: float, armature: float, tool_xml: str, prefix: str = "", place: str = ""
) -> str:
    """Return the arm as nested MJCF bodies.

    Args:
        arm: Parameters of the arm.
        joint_damping: Viscous friction of every joint [Nm s/rad].
        armature: Rotor inertia seen at the joint [kg m^2].
        tool_xml: Geometry that is rigid with the hand, in the hand's frame.
        prefix: Prefix of all names and of the classes `link` and `finger`.
        place: Attributes of the base's pose; "" = the origin.
    """
    inner = hand_xml(arm.flange_m, arm.hand_turn_rad, tool_xml, prefix)
    for index in reversed(range(arm.n_joints)):
        a, d, alpha = arm.dh[index]
        low, high = arm.limits_rad[index]
        position = f"{a:.6f} {-np.sin(alpha) * d:.6f} {np.cos(alpha) * d:.6f}"
        capsules = arm.capsules[index]
        mass = arm.masses_kg[index] / len(capsules)
        geoms = "".join(
            f'<geom class="{prefix}link" type="capsule" fromto="{start} {end}" size="{radius}" mass="{mass}"/>'
            for start, end, radius in capsules
        )
        inner = (
            f'<body name="{prefix}link{index + 1}" pos="{position}" quat="{np.cos(alpha / 2):.8f} {np.sin(alpha / 2):.8f} 0 0" gravcomp="1">'
            f'<joint name="{prefix}joint{index + 1}" range="{low} {high}" damping="{joint_damping}" armature="{armature}"/>'
            f"{geoms}{inner}</body>"
        )
    radius, height = arm.base
    pedestal = (
        f'<geom class="{prefix}link" type="cylinder" size="{radius} {height / 2}" pos="0 0 {height / 2}" mass="3"/>'
    )
    return f'<body name="{prefix}base"{place}>{pedestal}{inner}</body>'
