"""The mock robot's world as one MJCF string: the arm, its Cartesian impedance controller, the table and the workpieces.

The controller is made of MuJoCo's own actuators, so that a whole control period is one call of ``mj_step``: six
affine actuators act between the tool centre point and a target body (a site transmission with a reference site). This
is ``force = J^T (-k e - d v)``. Their force range is the stiffness times the reference limit: SERL clips the error at
the same bound (arXiv 2401.16013, section IV-E). So the contact force is bounded for any distance to the command.
"""

from __future__ import annotations

from collections.abc import Sequence

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_inverse
from steadyhand.robot_envs.mock.arm import arm_xml
from steadyhand.robot_envs.mock.charuco import board_textures
from steadyhand.robot_envs.mock.config import ImpedanceConfig, SceneConfig
from steadyhand.robot_envs.mock.hand import TCP_FROM_HAND_M
from steadyhand.robot_envs.mock.hidden import HiddenTruth
from steadyhand.robot_envs.mock.placed_arm import PlacedArm
from steadyhand.robot_envs.mock.textures import Texture, textures_xml
from steadyhand.robot_envs.mock.workpieces import TOOL, ties_xml, workpiece_xml

__all__ = ["scene_textures", "scene_xml"]

TCP_IN_HAND = pose([0.0, 0.0, TCP_FROM_HAND_M])
_SIDES = (8, 16)  # contact bits of the arms' links, beside those of the workpieces
# Camera beside the cell, for one arm and for two that face each other.
_BESIDE_ONE = 'pos="0.78 0.24 0.26" xyaxes="-0.65 0.76 0 -0.36 -0.31 0.88"'
_BESIDE_TWO = 'pos="0.65 -0.75 0.50" xyaxes="1 0 0 0 0.42 0.91"'


def scene_textures(scene: SceneConfig) -> list[Texture]:
    """Return the textures of the scene's workpieces."""
    named = {**({TOOL: scene.tool} if scene.tool else {}), **scene.tools, **scene.fixtures, **scene.objects}
    return board_textures(named)


def scene_xml(
    scene: SceneConfig,
    impedance: ImpedanceConfig,
    physics_timestep_s: float,
    arms: Sequence[PlacedArm],
    textures: Sequence[Texture],
    truth: HiddenTruth | None,
) -> str:
    """Return the whole world as MJCF.

    Args:
        scene: The workpieces.
        impedance: Gains of the controller.
        physics_timestep_s: Length of a physics step.
        arms: The arms; the first one is at the origin.
        textures: Textures of workpieces and table.
        truth: Hidden errors, of which tool and table are part of the MJCF; None = none.
    """
    tools = {arm.name: _tool_xml(scene, arm) for arm in arms}
    middle, half, side = (0.5, 0.6, _BESIDE_ONE) if len(arms) == 1 else (0.65, 0.85, _BESIDE_TWO)
    table = (
        f'<geom name="table" class="fixture" type="box" size="{half} {half} 0.02" pos="{middle} 0 -0.02" '
        'rgba="0.55 0.53 0.50 1"/>'
    )
    if truth is not None:
        about_tcp = pose_compose(pose_compose(TCP_IN_HAND, truth.tool), pose_inverse(TCP_IN_HAND))
        tools = {name: _moved(tool, about_tcp) for name, tool in tools.items()}
        table = _moved(table, truth.workspace)
    fixtures = "".join(
        f'<body name="{name}" mocap="true" pos="0.5 0 0.1">{workpiece_xml(description, name)}</body>'
        for name, description in scene.fixtures.items()
    )
    objects = "".join(
        f'<body name="{name}" pos="0.5 0 0.1"><freejoint/>{workpiece_xml(description, name)}</body>'
        for name, description in scene.objects.items()
    )
    damping, armature = impedance.joint_damping_nms_rad, impedance.armature_kg_m2
    placed = "".join(
        arm_xml(arm.model, damping, armature, tools[arm.name], arm.prefix, _place(arm))
        + f'<body name="{arm.prefix}target" mocap="true" pos="0.5 0 0.3"><site name="{arm.prefix}target"/></body>'
        for arm in arms
    )
    return f"""
<mujoco model="steadyhand mock">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="{physics_timestep_s}" integrator="implicitfast" cone="elliptic" impratio="10" iterations="30"/>
  <visual>
    <quality shadowsize="0" offsamples="0"/>
    <headlight ambient="0.4 0.4 0.4" diffuse="0.6 0.6 0.6" specular="0 0 0"/>
    <map znear="0.005" zfar="5"/>
    <global offwidth="1024" offheight="1024"/>
  </visual>
  <default>
    <geom solref="0.004 1" solimp="0.95 0.99 0.0005"/>
    {"".join(map(_classes, arms))}
    <default class="peg"><geom rgba="0.95 0.65 0.15 1" friction="0.5" contype="1" conaffinity="1"/></default>
    <default class="fixture"><geom rgba="0.30 0.45 0.65 1" friction="0.5" contype="5" conaffinity="1"/></default>
    <default class="object"><geom rgba="0.85 0.30 0.25 1" friction="0.8" contype="7" conaffinity="7" condim="4"/></default>
    <default class="mark"><geom rgba="0.10 0.12 0.15 1" contype="0" conaffinity="0" mass="0"/></default>
  </default>
  {textures_xml(textures)}
  <worldbody>
    <light pos="0.6 -0.6 1.5" dir="-0.2 0.5 -1" castshadow="false"/>
    <camera name="side" {side} fovy="45"/>
    {table}
    {placed}
    {fixtures}
    {objects}
  </worldbody>
  {ties_xml(scene.fixtures, f"{arms[0].prefix}tcp")}
  <actuator>{"".join(_impedance_xml(impedance, arm.prefix) + _gripper_xml(arm.prefix) for arm in arms)}</actuator>
  <sensor>{"".join(_sensor_xml(arm.prefix) for arm in arms)}</sensor>
</mujoco>"""


def _tool_xml(scene: SceneConfig, arm: PlacedArm) -> str:
    description = scene.tools.get(arm.name, scene.tool)
    return workpiece_xml(description, tcp_m=TCP_FROM_HAND_M) if description else ""


def _place(arm: PlacedArm) -> str:
    base = arm.base_pose
    return "" if base is None else f' pos="{_text(base[:3])}" quat="{_text(base[[6, 3, 4, 5]])}"'


def _classes(arm: PlacedArm) -> str:
    """Return the classes of an arm's links and fingers. Those of another side have contacts with them."""
    own, other = (0, 0) if arm.side == 0 else (_SIDES[arm.side - 1], _SIDES[2 - arm.side])
    return (
        f'<default class="{arm.prefix}link"><geom rgba="0.85 0.86 0.88 1" contype="{own}" conaffinity="{other}"/></default>'
        f'<default class="{arm.prefix}finger"><geom rgba="0.25 0.27 0.30 1" friction="1.0 0.01 0.001" '
        f'contype="{2 + own}" conaffinity="{4 + other}" condim="4"/></default>'
    )


def _sensor_xml(prefix: str) -> str:
    site = f'site="{prefix}wrist_sensor"'
    return f'<force name="{prefix}wrist_force" {site}/><torque name="{prefix}wrist_torque" {site}/>'


def _moved(xml: str, by: Array) -> str:
    """Return elements that are moved by a pose (7,) in the frame of their parent."""
    position, quat = by[:3], by[[6, 3, 4, 5]]
    return f'<frame pos="{_text(position)}" quat="{_text(quat)}">{xml}</frame>'


def _text(values: Array) -> str:
    return " ".join(f"{value:.9f}" for value in values)


def _impedance_xml(gains: ImpedanceConfig, prefix: str) -> str:
    rows = []
    for axis in range(6):
        linear = axis < 3
        stiffness = gains.stiffness_n_m if linear else gains.rotation_stiffness_nm_rad
        damping = gains.damping_ns_m if linear else gains.rotation_damping_nms_rad
        limit = stiffness * (gains.reference_limit_m if linear else gains.reference_limit_rad)
        gear = " ".join("1" if i == axis else "0" for i in range(6))
        rows.append(
            f'<general name="{prefix}impedance{axis}" site="{prefix}tcp" refsite="{prefix}target" gear="{gear}" biastype="affine" '
            f'gainprm="0" biasprm="0 {-stiffness} {-damping}" forcerange="{-limit} {limit}"/>'
        )
    return "".join(rows)


def _gripper_xml(prefix: str) -> str:
    return "".join(
        f'<position name="{prefix}{side}_finger" joint="{prefix}{side}_finger" kp="1000" kv="50" ctrlrange="0 0.04" forcerange="-25 25"/>'
        for side in ("left", "right")
    )
