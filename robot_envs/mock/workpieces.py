"""The workpieces of the mock robot, as MJCF fragments in primitive geometry.

A scene names its workpieces in the task's configuration: ``{kind: square_hole, ...}``. A new kind is one function here.
Every fragment is in the workpiece's own frame, z up; lengths are in metres. An articulated kind has one slide or hinge
joint with the workpiece's name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from steadyhand.robot_envs.mock.cable import cable_xml, segment_names, tie_xml
from steadyhand.robot_envs.mock.charuco import KIND as CHARUCO
from steadyhand.robot_envs.mock.charuco import board_xml, find_board
from steadyhand.runtime.build import ConfigError

__all__ = ["TOOL", "SceneError", "is_articulated", "part_names", "ties_xml", "workpiece_xml"]

TOOL = "tool"  # name of the workpiece in the hand


class SceneError(ValueError):
    """Error of a scene with an unknown kind of workpiece, or wrong sizes."""


def square_peg(side_m: float, length_m: float, tcp_m: float) -> str:
    """Return a square peg in the gripper, in the hand's frame; its tip is ``length_m`` beyond the TCP at ``tcp_m``."""
    half, grasped = side_m / 2, 0.02
    centre = tcp_m + (length_m - grasped) / 2
    return f'<geom class="peg" name="peg" type="box" size="{half} {half} {(length_m + grasped) / 2}" pos="0 0 {centre}" mass="0.05"/>'


def pad(radius_m: float, length_m: float, tcp_m: float) -> str:
    """Return a round felt pad in the gripper, in the hand's frame; its face is ``length_m`` beyond the TCP at ``tcp_m``."""
    grasped = 0.02
    half, centre = (length_m + grasped) / 2, tcp_m + (length_m - grasped) / 2
    return (
        f'<geom class="peg" name="pad" type="cylinder" size="{radius_m} {half}" pos="0 0 {centre}" mass="0.05" '
        'priority="1" friction="0.3" solref="0.06 1" solimp="0.3 0.9 0.004"/>'
    )


def square_hole(side_m: float, depth_m: float, chamfer_m: float, block_m: float) -> str:
    """Return a block with a chamfered square hole; the origin is the centre of the hole's mouth, at the upper face.

    Each wall has three boxes: a lower box flush with the hole, an upper slab set back by the chamfer, and a box turned
    by 45 degrees whose face is the bevel between the two. All three are inside the block, so that a sliding peg touches
    one surface without a step.
    """
    hole, block = side_m / 2, block_m / 2
    lower = (block - hole) / 2
    upper = (block - hole - chamfer_m) / 2
    thickness = 0.004
    bevel = chamfer_m * np.sqrt(2) / 2
    bevel_x = hole + chamfer_m / 2 + thickness / np.sqrt(2)
    bevel_z = -chamfer_m / 2 - thickness / np.sqrt(2)
    geoms = []
    for quarter in range(4):
        angle = quarter * np.pi / 2
        turn = f'quat="{np.cos(angle / 2):.8f} 0 0 {np.sin(angle / 2):.8f}"'
        cos, sin = np.cos(angle), np.sin(angle)

        def at(x: float, z: float, cos: float = cos, sin: float = sin) -> str:
            return f'pos="{cos * x:.6f} {sin * x:.6f} {z:.6f}"'

        tilt, yaw = np.array([np.cos(np.pi / 8), np.sin(np.pi / 8)]), np.array([np.cos(angle / 2), np.sin(angle / 2)])
        # yaw about z, then 45 degrees about the wall's own y: the box's x axis becomes the bevel's normal.
        bevel_quat = (
            f'quat="{yaw[0] * tilt[0]:.8f} {-yaw[1] * tilt[1]:.8f} {yaw[0] * tilt[1]:.8f} {yaw[1] * tilt[0]:.8f}"'
        )
        geoms += [
            f'<geom class="fixture" type="box" size="{lower} {block} {(depth_m - chamfer_m) / 2}" '
            f"{at(hole + lower, -(depth_m + chamfer_m) / 2)} {turn}/>",
            f'<geom class="fixture" type="box" size="{upper} {block} {chamfer_m / 2}" '
            f"{at(hole + chamfer_m + upper, -chamfer_m / 2)} {turn}/>",
            f'<geom class="fixture" type="box" size="{thickness} {hole + chamfer_m} {bevel}" {at(bevel_x, bevel_z)} {bevel_quat}/>',
        ]
    floor = f'<geom class="fixture" type="box" size="{block} {block} 0.005" pos="0 0 {-depth_m - 0.005}"/>'
    mark = f'<geom class="mark" type="box" size="{hole} {hole} 0.0002" pos="0 0 {-depth_m + 0.0002}"/>'
    return "".join(geoms) + floor + mark


def held_socket(
    side_m: float, depth_m: float, chamfer_m: float, block_m: float, reach_m: float, rise_m: float, tcp_m: float
) -> str:
    """Return a block with a square hole on a handle in the gripper, in the hand's frame; its mouth faces the hand.

    The mouth is `reach_m` beside the TCP at `tcp_m`, along the hand's x axis, and `rise_m` towards the hand.
    """
    hole = square_hole(side_m, depth_m, chamfer_m, block_m)
    length = reach_m - block_m / 2 + 0.012
    handle = (
        f'<geom class="fixture" type="box" size="{length / 2} 0.008 0.005" '
        f'pos="{length / 2 - 0.01} 0 {tcp_m - 0.002}" mass="0.03"/>'
    )
    return f'<frame pos="{reach_m} 0 {tcp_m - rise_m}" quat="0 1 0 0">{hole}</frame>{handle}'


def open_bin(side_m: float, height_m: float, wall_m: float) -> str:
    """Return an open box; the origin is the middle of its floor."""
    half = side_m / 2
    walls = _boxes(
        (f"{wall_m} {half} {height_m / 2}", f"{half} 0 {height_m / 2}"),
        (f"{wall_m} {half} {height_m / 2}", f"{-half} 0 {height_m / 2}"),
        (f"{half} {wall_m} {height_m / 2}", f"0 {half} {height_m / 2}"),
        (f"{half} {wall_m} {height_m / 2}", f"0 {-half} {height_m / 2}"),
    )
    return walls + f'<geom class="fixture" type="box" size="{half} {half} 0.002" pos="0 0 0.002"/>'


def cube(side_m: float, mass_kg: float) -> str:
    """Return a loose cube; the origin is its centre."""
    half = side_m / 2
    return f'<geom class="object" type="box" size="{half} {half} {half}" mass="{mass_kg}"/>'


def bar(length_m: float, side_m: float, mass_kg: float) -> str:
    """Return a loose bar of square section along x; the origin is its centre."""
    half = side_m / 2
    return f'<geom class="object" type="box" size="{length_m / 2} {half} {half}" mass="{mass_kg}"/>'


def plug(side_m: float, length_m: float, grip_m: float, mass_kg: float) -> str:
    """Return a loose square plug with a cube on top to hold it by; the origin is the middle of the plug's tip."""
    half, up, grip = side_m / 2, length_m / 2, grip_m / 2
    return (
        f'<geom class="object" type="box" size="{half} {half} {up}" pos="0 0 {up}" mass="{mass_kg / 2}" friction="0.4"/>'
        f'<geom class="object" type="box" size="{grip} {grip} {grip}" pos="0 0 {length_m + grip}" mass="{mass_kg / 2}"/>'
    )


def slab(side_m: float, height_m: float) -> str:
    """Return a square board; the origin is the middle of its upper face."""
    half, up = side_m / 2, height_m / 2
    return f'<geom class="fixture" type="box" size="{half} {half} {up}" pos="0 0 {-up}"/>'


def disc(radius_m: float) -> str:
    """Return a flat mark on a face, without contacts; the origin is its middle."""
    return f'<geom class="mark" type="cylinder" size="{radius_m} 0.0004"/>'


def clip(slot_m: float, height_m: float, post_m: float) -> str:
    """Return two posts with flat tops and a slot between them along x; the origin is the middle of the slot's foot."""
    radius, up = post_m / 2, height_m / 2
    y = slot_m / 2 + radius
    return "".join(f'<geom class="fixture" type="cylinder" size="{radius} {up}" pos="0 {at} {up}"/>' for at in (-y, y))


def marker(radius_m: float) -> str:
    """Return a ball that is visible but has no contacts."""
    return f'<geom class="mark" type="sphere" size="{radius_m}" rgba="0.90 0.15 0.10 1"/>'


def drawer(joint: str, side_m: float, height_m: float, travel_m: float, friction_n: float) -> str:
    """Return a drawer that slides out of its cabinet along x; the origin is the lower middle of the cabinet's front.

    The joint's position is the opening [m], from 0 to `travel_m`. The handle is a bar on two posts.
    """
    half, up, wall = side_m / 2, height_m / 2, 0.004
    cabinet = _boxes(
        (f"{half} {wall} {up}", f"{-half} {half} {up}"),
        (f"{half} {wall} {up}", f"{-half} {-half} {up}"),
        (f"{wall} {half} {up}", f"{-side_m} 0 {up}"),
    )
    handle = _boxes(
        (f"{wall} 0.05 {wall}", f"0.05 0 {up}"),
        (f"0.025 {wall} {wall}", f"0.025 0.046 {up}"),
        (f"0.025 {wall} {wall}", f"0.025 -0.046 {up}"),
        more=' mass="0.05"',
    )
    front = f'<geom class="fixture" type="box" size="{wall} {half - 3 * wall} {up - wall}" pos="0 0 {up}" mass="0.3"/>'
    slide = (
        f'<joint name="{joint}" type="slide" axis="1 0 0" range="0 {travel_m}" frictionloss="{friction_n}" '
        'damping="2" armature="0.05"/>'
    )
    return f'{cabinet}<body gravcomp="1">{slide}{front}{handle}</body>'


def door(joint: str, width_m: float, height_m: float, swing_rad: float, friction_nm: float) -> str:
    """Return a door with a vertical hinge; the origin is the foot of the hinge, and the closed door lies along y.

    The joint's position is the opening angle towards x [rad], from 0 to `swing_rad`.
    """
    half, up, thick = width_m / 2, height_m / 2, 0.004
    panel = f'<geom class="fixture" type="box" size="{thick} {half} {up}" pos="0 {half} {up}" mass="0.3"/>'
    knob = f'<geom class="fixture" type="box" size="0.02 0.006 0.006" pos="0.024 {1.8 * half} {up}" mass="0.05"/>'
    post = f'<geom class="fixture" type="cylinder" size="{thick} {up}" pos="0 {-2 * thick} {up}"/>'
    hinge = (
        f'<joint name="{joint}" type="hinge" axis="0 0 -1" range="0 {swing_rad}" frictionloss="{friction_nm}" '
        'damping="0.2" armature="0.01"/>'
    )
    return f'{post}<body gravcomp="1">{hinge}{panel}{knob}</body>'


def _boxes(*sizes_and_positions: tuple[str, str], more: str = "") -> str:
    """Return boxes that belong to one fixture; `more` is added to the attributes of each."""
    return "".join(
        f'<geom class="fixture" type="box" size="{size}" pos="{position}"{more}/>'
        for size, position in sizes_and_positions
    )


KINDS: dict[str, Callable[..., str]] = {
    "square_peg": square_peg,
    "pad": pad,
    "square_hole": square_hole,
    "held_socket": held_socket,
    "open_bin": open_bin,
    "cube": cube,
    "bar": bar,
    "plug": plug,
    "slab": slab,
    "disc": disc,
    "clip": clip,
    "marker": marker,
}
ARTICULATED: dict[str, Callable[..., str]] = {"drawer": drawer, "door": door}
CHAINS: dict[str, Callable[..., str]] = {"cable": cable_xml}  # of several bodies, tied to the first arm's tool


def is_articulated(description: Mapping[str, Any]) -> bool:
    """Return whether a workpiece has a joint."""
    return description.get("kind") in ARTICULATED


def part_names(description: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the names of a workpiece's parts whose poses are known, from its fixed end on; () = it is one part."""
    return segment_names(name) if description.get("kind") in CHAINS else ()


def ties_xml(workpieces: Mapping[str, Mapping[str, Any]], tcp: str) -> str:
    """Return the constraints between workpieces and the site of a tool centre point; "" = there are none."""
    ties = "".join(tie_xml(name, tcp) for name, values in workpieces.items() if values.get("kind") in CHAINS)
    return f"<equality>{ties}</equality>" if ties else ""


def workpiece_xml(description: Mapping[str, Any], name: str = TOOL, **extra: float) -> str:
    """Return the MJCF of the workpiece that a configuration describes.

    Args:
        description: Its kind and sizes.
        name: Name of the workpiece, and of its joint.
        extra: Additional sizes from the scene.

    Raises:
        SceneError: The kind is unknown or its sizes do not fit.
    """
    values = dict(description)
    kind = str(values.pop("kind", ""))
    kinds = KINDS | ARTICULATED | CHAINS
    if kind == CHARUCO:
        try:
            return board_xml(find_board(values), name, **extra)
        except ConfigError as error:
            raise SceneError(f"workpiece {name}: {error}") from None
    if kind not in kinds:
        known = ", ".join(sorted({*kinds, CHARUCO}))
        raise SceneError(f"workpiece kind {kind!r} is not known; choose one of {known}")
    for size, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number and 0.0 < value < math.inf):
            raise SceneError(f"workpiece {kind!r}: {size}: expected a number above 0, found {value!r}")
    try:
        named = {"joint": name} if kind in ARTICULATED else {"name": name} if kind in CHAINS else {}
        return kinds[kind](**named, **values, **extra)
    except TypeError as error:
        raise SceneError(f"workpiece {kind!r}: {error}") from None
