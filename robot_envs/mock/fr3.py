"""The Franka Research 3 in primitive geometry, from its published Denavit-Hartenberg parameters and joint limits.

Source: Franka Robotics, "Robot and interface specifications" (Craig's convention). Masses are rounded
values close to the published identification of the Panda (Gaz et al. 2019).
"""

from __future__ import annotations

import math

from steadyhand.robot_envs.mock.arm import ArmModel
from steadyhand.robot_envs.mock.setup import SimulatedArm

__all__ = ["FR3", "MockFr3"]

FR3 = ArmModel(
    dh=(
        (0.0, 0.333, 0.0),
        (0.0, 0.0, -math.pi / 2),
        (0.0, 0.316, math.pi / 2),
        (0.0825, 0.0, math.pi / 2),
        (-0.0825, 0.384, -math.pi / 2),
        (0.0, 0.0, math.pi / 2),
        (0.088, 0.0, math.pi / 2),
    ),
    limits_rad=(
        (-2.7437, 2.7437),
        (-1.7837, 1.7837),
        (-2.9007, 2.9007),
        (-3.0421, -0.1518),
        (-2.8065, 2.8065),
        (0.5445, 4.5169),
        (-3.0159, 3.0159),
    ),
    home_rad=(0.0, -math.pi / 4, 0.0, -3 * math.pi / 4, 0.0, math.pi / 2, math.pi / 4),
    masses_kg=(3.0, 3.0, 3.0, 2.5, 2.5, 1.5, 0.7),
    capsules=(
        (("0 0 -0.19", "0 0 0", 0.06),),
        (("0 0 0", "0 -0.19 0", 0.06),),
        (("0 0 -0.10", "0 0 0", 0.055), ("0 0 0", "0.0825 0 0", 0.05)),
        (("0 0 0", "-0.0825 0.10 0", 0.055),),
        (("0 0 -0.26", "0 0.03 -0.12", 0.05), ("0 0.03 -0.12", "0 0 0", 0.045)),
        (("0 0 0", "0.088 0 0", 0.045),),
        (("0 0 0.02", "0 0 0.09", 0.04),),
    ),
    base=(0.08, 0.14),
    flange_m=0.107,
    hand_turn_rad=-math.pi / 4,
)


class MockFr3(SimulatedArm):
    """The simulated Franka Research 3."""

    name = "mock"
    arm = FR3
