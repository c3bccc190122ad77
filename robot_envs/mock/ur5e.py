"""The Universal Robots UR5e in primitive geometry, from its published Denavit-Hartenberg parameters and joint limits.

Source: Universal Robots, "DH parameters for calculations of kinematics and dynamics". The source uses the standard
convention; here it is Craig's, in which a and alpha belong to the next joint. The masses are from the same source.
"""

from __future__ import annotations

import math

from steadyhand.robot_envs.mock.arm import ArmModel
from steadyhand.robot_envs.mock.setup import SimulatedArm

__all__ = ["UR5E", "MockUr5e"]

_TURN = 2.0 * math.pi

UR5E = ArmModel(
    dh=(
        (0.0, 0.1625, 0.0),
        (0.0, 0.0, math.pi / 2),
        (-0.425, 0.0, 0.0),
        (-0.3922, 0.1333, 0.0),
        (0.0, 0.0997, math.pi / 2),
        (0.0, 0.0996, -math.pi / 2),
    ),
    limits_rad=(
        (-_TURN, _TURN),
        (-_TURN, _TURN),
        (-math.pi, math.pi),
        (-_TURN, _TURN),
        (-_TURN, _TURN),
        (-_TURN, _TURN),
    ),
    home_rad=(2.87, -1.54, 1.89, -1.92, -math.pi / 2, -1.84),  # elbow up, the tool points down before the robot
    masses_kg=(3.761, 8.058, 2.846, 1.37, 1.3, 0.365),
    capsules=(
        (("0 0 -0.08", "0 0 0", 0.06),),
        (("0 0 0", "0 0 0.13", 0.06), ("0 0 0.13", "-0.425 0 0.13", 0.05)),
        (("0 0 0.13", "0 0 0.01", 0.05), ("0 0 0.01", "-0.3922 0 0.01", 0.04)),
        (("0 0 -0.12", "0 0 0", 0.04),),
        (("0 0 -0.09", "0 0 0", 0.04),),
        (("0 0 -0.08", "0 0 -0.01", 0.035),),
    ),
    base=(0.075, 0.1),
    flange_m=0.0,
    hand_turn_rad=0.0,
)


class MockUr5e(SimulatedArm):
    """The simulated UR5e, with the same hand as the other simulated arms."""

    name = "mock_ur5e"
    arm = UR5E
