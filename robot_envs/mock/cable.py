"""MJCF of a cable: a chain of capsules whose joints bend with some stiffness and damping.

One end is fixed where the task places the workpiece. The other one is tied to the tool centre point of the first arm,
as a cable between closed fingers, and turns freely there.
"""

from __future__ import annotations

__all__ = ["SEGMENTS", "cable_xml", "segment_names", "tie_xml"]

SEGMENTS = 8
_STIFFNESS_NM_RAD = 0.02
_DAMPING_NMS_RAD = 0.002
_ARMATURE_KG_M2 = 1e-6


def segment_names(name: str) -> tuple[str, ...]:
    """Return the names of the segments, from the fixed end on."""
    return tuple(f"{name}_{index}" for index in range(SEGMENTS))


def cable_xml(name: str, length_m: float, radius_m: float, mass_kg: float) -> str:
    """Return a straight cable along x from its fixed end, which is the origin.

    A segment's frame is at its end nearer to the fixed one, with x along the segment. It has contacts with fixtures
    alone: fingers hold it by the tie.
    """
    segment = length_m / SEGMENTS
    inner = f'<site name="{name}_end" pos="{segment:.9f} 0 0"/>'
    for index, body in reversed([*enumerate(segment_names(name))]):
        at, bends = (segment, _STIFFNESS_NM_RAD) if index else (0.0, 0.0)  # the fixed end is a free pivot
        inner = (
            f'<body name="{body}" pos="{at:.9f} 0 0">'
            f'<joint type="ball" stiffness="{bends}" damping="{_DAMPING_NMS_RAD}" armature="{_ARMATURE_KG_M2}"/>'
            f'<geom type="capsule" fromto="0 0 0 {segment:.9f} 0 0" size="{radius_m}" mass="{mass_kg / SEGMENTS}" '
            f'rgba="0.12 0.12 0.14 1" friction="0.3" contype="0" conaffinity="1"/>{inner}</body>'
        )
    return f'<geom class="mark" type="sphere" size="{2 * radius_m}"/>{inner}'


def tie_xml(name: str, tcp: str) -> str:
    """Return the constraint between the cable's loose end and the site of a tool centre point."""
    return f'<connect site1="{name}_end" site2="{tcp}" solref="0.004 1" solimp="0.99 0.999 0.001"/>'
