"""MJCF of a hand with two fingers in primitive geometry, with a wrist sensor and a camera."""

from __future__ import annotations

import numpy as np

__all__ = ["MAX_GRIPPER_WIDTH_M", "TCP_FROM_HAND_M", "hand_xml"]

TCP_FROM_HAND_M = 0.1034
MAX_GRIPPER_WIDTH_M = 0.08


def hand_xml(flange_m: float, turn_rad: float, tool_xml: str, prefix: str = "") -> str:
    """Return the hand as MJCF bodies.

    Args:
        flange_m: Distance from the arm's last frame to the hand, along z.
        turn_rad: Rotation of the hand about that axis.
        tool_xml: Geometry that is rigid with the hand, in the hand's frame.
        prefix: Prefix of all names and of the classes `link` and `finger`.
    """
    return f"""
    <body name="{prefix}hand" pos="0 0 {flange_m}" quat="{np.cos(turn_rad / 2):.8f} 0 0 {np.sin(turn_rad / 2):.8f}" gravcomp="1">
      <site name="{prefix}wrist_sensor"/>
      <site name="{prefix}tcp" pos="0 0 {TCP_FROM_HAND_M}"/>
      <geom class="{prefix}link" type="box" size="0.02 0.1 0.028" pos="0 0 0.03" mass="0.7"/>
      <camera name="{prefix}wrist" pos="0.07 0 0.02" xyaxes="0 -1 0 -0.94 0 -0.34" fovy="60"/>
      <body name="{prefix}left_finger" pos="0 0 0.0584" gravcomp="1">
        <joint name="{prefix}left_finger" type="slide" axis="0 1 0" range="0 {MAX_GRIPPER_WIDTH_M / 2}" damping="20" armature="0.1"/>
        <geom class="{prefix}finger" type="box" size="0.010 0.006 0.026" pos="0 0.006 0.026" mass="0.05"/>
      </body>
      <body name="{prefix}right_finger" pos="0 0 0.0584" gravcomp="1">
        <joint name="{prefix}right_finger" type="slide" axis="0 -1 0" range="0 {MAX_GRIPPER_WIDTH_M / 2}" damping="20" armature="0.1"/>
        <geom class="{prefix}finger" type="box" size="0.010 0.006 0.026" pos="0 -0.006 0.026" mass="0.05"/>
      </body>
      {tool_xml}
    </body>"""
