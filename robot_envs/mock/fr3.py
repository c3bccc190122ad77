"""The Franka Research 3 in primitive geometry, from its published Denavit-Hartenberg parameters and joint limits.

Source: Franka Robotics, "Robot and interface specifications" (Craig's convention). Masses are round figures in the
region of the published identification of the Panda (Gaz et al. 2019); the impedance controller compensates gravity,
so they only set inertia.
"""

from __future__ import annotations

import numpy as np

N_JOINTS = 7
HOME = (0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4)
JOINT_LIMITS_RAD = (
    (-2.7437, 2.7437),
    (-1.7837, 1.7837),
    (-2.9007, 2.9007),
    (-3.0421, -0.1518),
    (-2.8065, 2.8065),
    (0.5445, 4.5169),
    (-3.0159, 3.0159),
)
# a [m], d [m], alpha [rad] of each joint.
_DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -np.pi / 2),
    (0.0, 0.316, np.pi / 2),
    (0.0825, 0.0, np.pi / 2),
    (-0.0825, 0.384, -np.pi / 2),
    (0.0, 0.0, np.pi / 2),
    (0.088, 0.0, np.pi / 2),
)
_MASSES_KG = (3.0, 3.0, 3.0, 2.5, 2.5, 1.5, 0.7)
# Each link as capsules (from, to, radius) in its own frame [m].
_CAPSULES = (
    (("0 0 -0.19", "0 0 0", 0.06),),
    (("0 0 0", "0 -0.19 0", 0.06),),
    (("0 0 -0.10", "0 0 0", 0.055), ("0 0 0", "0.0825 0 0", 0.05)),
    (("0 0 0", "-0.0825 0.10 0", 0.055),),
    (("0 0 -0.26", "0 0.03 -0.12", 0.05), ("0 0.03 -0.12", "0 0 0", 0.045)),
    (("0 0 0", "0.088 0 0", 0.045),),
    (("0 0 0.02", "0 0 0.09", 0.04),),
)
FLANGE_M = 0.107
TCP_FROM_HAND_M = 0.1034
MAX_GRIPPER_WIDTH_M = 0.08


def arm_xml(joint_damping: float, armature: float, tool_xml: str) -> str:
    """The arm as nested MJCF bodies.

    Args:
        joint_damping: Viscous friction of every joint [Nm s/rad].
        armature: Rotor inertia seen at the joint [kg m^2].
        tool_xml: Geometry that is rigid with the hand, in the hand's frame.
    """
    inner = _hand_xml(tool_xml)
    for index in reversed(range(N_JOINTS)):
        a, d, alpha = _DH[index]
        low, high = JOINT_LIMITS_RAD[index]
        position = f"{a:.6f} {-np.sin(alpha) * d:.6f} {np.cos(alpha) * d:.6f}"
        capsules = _CAPSULES[index]
        geoms = "".join(
            f'<geom class="link" type="capsule" fromto="{start} {end}" size="{radius}" mass="{_MASSES_KG[index] / len(capsules)}"/>'
            for start, end, radius in capsules
        )
        inner = (
            f'<body name="link{index + 1}" pos="{position}" quat="{np.cos(alpha / 2):.8f} {np.sin(alpha / 2):.8f} 0 0" gravcomp="1">'
            f'<joint name="joint{index + 1}" range="{low} {high}" damping="{joint_damping}" armature="{armature}"/>'
            f"{geoms}{inner}</body>"
        )
    return (
        f'<body name="base"><geom class="link" type="cylinder" size="0.08 0.07" pos="0 0 0.07" mass="3"/>{inner}</body>'
    )


def _hand_xml(tool_xml: str) -> str:
    return f"""
    <body name="hand" pos="0 0 {FLANGE_M}" quat="{np.cos(np.pi / 8):.8f} 0 0 {-np.sin(np.pi / 8):.8f}" gravcomp="1">
      <site name="wrist_sensor"/>
      <site name="tcp" pos="0 0 {TCP_FROM_HAND_M}"/>
      <geom class="link" type="box" size="0.02 0.1 0.028" pos="0 0 0.03" mass="0.7"/>
      <camera name="wrist" pos="0.07 0 0.02" xyaxes="0 -1 0 -0.94 0 -0.34" fovy="60"/>
      <body name="left_finger" pos="0 0 0.0584" gravcomp="1">
        <joint name="left_finger" type="slide" axis="0 1 0" range="0 {MAX_GRIPPER_WIDTH_M / 2}" damping="20" armature="0.1"/>
        <geom class="finger" type="box" size="0.010 0.006 0.026" pos="0 0.006 0.026" mass="0.05"/>
      </body>
      <body name="right_finger" pos="0 0 0.0584" gravcomp="1">
        <joint name="right_finger" type="slide" axis="0 -1 0" range="0 {MAX_GRIPPER_WIDTH_M / 2}" damping="20" armature="0.1"/>
        <geom class="finger" type="box" size="0.010 0.006 0.026" pos="0 -0.006 0.026" mass="0.05"/>
      </body>
      {tool_xml}
    </body>"""
