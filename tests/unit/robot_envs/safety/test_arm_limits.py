"""Limits per arm in the gate, and the refusal of boxes that overlap without the rule that keeps the arms apart."""

import numpy as np
import pytest

from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety.gate import CAUSED_BY_ACTION, SafetyGate, StopReason
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, TOOL_DOWN_TURNED
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose
from tests.robot_kit import state

POSES = np.array([[0.50, 0.0, 0.2, *TOOL_DOWN], [0.80, 0.0, 0.2, *TOOL_DOWN_TURNED]])


def pair_limits(*overrides, **changes):
    return build(SafetyLimits, compose(["task=handover", *overrides])["safety"] | changes, "safety")


def pair_state(**changes):
    values = {"tcp_pose": POSES, "joint_position": np.tile([0.0, 0.0, 0.0, -1.5, 0.0, 1.5, 0.0], (2, 1))}
    return state(2, **(values | changes))


def passed(gate, poses, steps=60):
    """Return the poses that the gate has passed after some steps of an arm that follows exactly."""
    measured = POSES
    for _ in range(steps):
        command = gate.pass_command(RobotCommand(poses, np.zeros(2)), pair_state(tcp_pose=measured))
        measured = command.tcp_pose
    return measured


def test_each_arm_is_clipped_to_its_own_box():
    far = POSES.copy()
    far[0, :3], far[1, :3] = [0.3, 0.3, 0.2], [1.05, -0.3, 0.2]
    found = passed(SafetyGate(pair_limits(), 0.1), far)
    assert found[:, 0] == pytest.approx([0.38, 0.92], abs=1e-3)


def test_each_arm_has_its_own_speed():
    gate = SafetyGate(pair_limits("safety.arms.left.max_tcp_speed_m_s=0.05"), 0.1)
    far = POSES + np.array([0.0, 0.3, 0.0, 0, 0, 0, 0])
    before = passed(gate, far, 5)
    gone = before[:, 1]
    assert gone[0] <= 0.05 * 0.5 + 1e-6
    assert gone[1] > 0.05


def test_each_arm_has_its_own_tilt():
    turned = POSES.copy()
    turned[1, 3:] = TOOL_DOWN  # half a turn from where the right tool may be
    found = passed(SafetyGate(pair_limits(), 0.1), turned)
    right = pair_limits().each_arm[1].region
    assert right.tilt(found[1, 3:].tolist()) <= right.max_tilt_rad + 1e-6


@pytest.mark.parametrize(("arm", "name"), [(0, "left"), (1, "right")])
def test_the_stop_names_the_arm_whose_force_is_beyond_its_own_limit(arm, name):
    gate = SafetyGate(pair_limits(f"safety.arms.{name}.max_force_n=20"), 0.1)
    wrench = np.zeros((2, 6))
    wrench[1 - arm, 2] = 30.0
    assert gate.check_state(pair_state(wrench=wrench), 0) is None
    wrench[arm, 2] = 30.0
    assert gate.check_state(pair_state(wrench=wrench), 0) is StopReason.FORCE_LIMIT
    assert gate.stop_text == f"force_limit ({name})"


def test_the_stop_names_the_arm_whose_joint_is_at_its_end():
    gate = SafetyGate(pair_limits(), 0.1)
    position, velocity = pair_state().joint_position.copy(), np.zeros((2, 7))
    position[1, 3], velocity[1, 3] = -0.16, 0.5
    gate.check_state(pair_state(joint_position=position, joint_velocity=velocity), 0)
    assert gate.stop_text.startswith("joint_limit (right: joint 4")


def test_measured_shapes_nearer_than_allowed_are_a_named_stop():
    gate = SafetyGate(pair_limits(), 0.1)
    near = POSES.copy()
    near[1, 0] = 0.59
    assert gate.check_state(pair_state(), 0) is None
    assert gate.check_state(pair_state(tcp_pose=near), 0) is StopReason.ARMS_TOO_CLOSE
    assert gate.stop_text == "arms_too_close (-10 mm)"
    assert gate.pass_command(RobotCommand(POSES, np.zeros(2)), pair_state()) is None
    assert StopReason.ARMS_TOO_CLOSE not in CAUSED_BY_ACTION


def test_boxes_that_overlap_need_the_rule():
    with pytest.raises(ConfigError, match=r"^safety: arms: expected boxes that do not overlap, .* left in that of"):
        pair_limits(apart=None)


def test_boxes_apart_need_none():
    limits = pair_limits("safety.arms.left.workspace_high_m=[0.57,0.35,0.5]", apart=None)
    assert SafetyGate(limits, 0.1).check_state(pair_state(), 0) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"arms": None}, "apart: expected limits of two arms in arms, found 0"),
        ({"park_position_m": [0.5, 0.0, 0.3]}, "park_position_m: expected null for several arms"),
    ],
)
def test_limits_that_do_not_fit_together_are_refused(changes, reason):
    with pytest.raises(ConfigError, match=reason):
        pair_limits(**changes)


def test_a_wrong_box_names_its_arm():
    with pytest.raises(ConfigError, match=r"^safety: arms.right: workspace: expected low < high"):
        pair_limits("safety.arms.right.workspace_low_m=[0.95,0,0]")


def test_an_arm_without_a_value_has_that_of_the_cell():
    limits = pair_limits("safety.max_torque_nm=3", "+safety.arms.right.max_torque_nm=4")
    assert [arm.max_torque_nm for arm in limits.each_arm] == [3.0, 4.0]
    assert len(pair_limits().each_arm) == 2
