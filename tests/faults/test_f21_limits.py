"""F21: whatever actions come, from whatever pose inside the limits, no command breaks one."""

import os

import numpy as np
import pytest

from steadyhand.robot_envs.frames import pose_compose, pose_from_vector, quat_from_rotvec
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety import gate as gate_module
from steadyhand.robot_envs.safety.gate import SafetyGate
from steadyhand.robot_envs.safety.shaper import PoseShaper
from tests.fault_kit import Practice, StubPolicy
from tests.faults.scale import FULL
from tests.robot_kit import limits, state

STEPS = int(os.environ.get("STEADYHAND_FAULT_STEPS", "100000"))  # random actions
ARMS, PERIOD_S = 1000, 0.1
LIMITS = limits()
TINY = 1e-9


def start_poses(rng) -> np.ndarray:
    """Return poses (ARMS, 7) inside the box and the tilt; a third of them in its corners."""
    low, high = np.array(LIMITS.workspace_low_m), np.array(LIMITS.workspace_high_m)
    share = rng.uniform(0, 1, (ARMS, 3))
    share[::3] = rng.integers(0, 2, (len(share[::3]), 3))
    turn = rng.normal(size=(ARMS, 3))
    turn *= rng.uniform(0, LIMITS.max_tilt_rad, (ARMS, 1)) / np.linalg.norm(turn, axis=1, keepdims=True)
    quat = pose_compose(
        np.tile([0, 0, 0, *LIMITS.nominal_quat], (ARMS, 1)),
        np.concatenate([np.zeros((ARMS, 3)), quat_from_rotvec(turn)], axis=1),
    )[:, 3:]
    return np.concatenate([low + share * (high - low), quat], axis=1)


def broken(before: np.ndarray, target: np.ndarray, own=LIMITS) -> int:
    """Return how many limits are broken by commands (N, 7) from poses (N, 7); written apart from the gate."""
    low, high = np.array(own.workspace_low_m), np.array(own.workspace_high_m)
    outside = ((target[:, :3] < low - TINY) | (target[:, :3] > high + TINY)).any(1)
    fast = np.linalg.norm(target[:, :3] - before[:, :3], axis=1) > own.max_tcp_speed_m_s * PERIOD_S + TINY
    turned = 2 * np.arccos(np.abs((target[:, 3:] * before[:, 3:]).sum(1)).clip(0, 1))
    tilt_before, tilt = (tilts(poses, own) for poses in (before, target))
    tilted = (tilt_before <= own.max_tilt_rad + 1e-6) & (tilt > own.max_tilt_rad + 1e-6)
    turned_fast = turned > own.max_tcp_angular_speed_rad_s * PERIOD_S + 1e-6
    return int(outside.sum() + fast.sum() + turned_fast.sum() + tilted.sum())


def tilts(poses: np.ndarray, own) -> np.ndarray:
    return 2 * np.arccos(np.abs(poses[:, 3:] @ np.array(own.nominal_quat)).clip(0, 1))


def sweep(steps: int) -> int:
    """Drive a thousand arms that go where they are commanded, and count what is broken."""
    rng, gate, count = np.random.default_rng(0), SafetyGate(LIMITS, PERIOD_S), 0
    pose = start_poses(rng)
    gate.begin(pose)
    for step in range(steps // ARMS):
        scale = rng.choice([0.001, 0.05, 0.5, 5.0], (ARMS, 1))
        asked = pose_compose(pose, pose_from_vector(scale * rng.normal(size=(ARMS, 6))))
        passed = gate.pass_command(RobotCommand(asked, np.zeros(ARMS)), state(ARMS, tcp_pose=pose))
        assert passed is not None
        count += broken(pose, passed.tcp_pose)
        pose = passed.tcp_pose
        if step % 50 == 49:
            pose = start_poses(rng)
            gate.begin(pose)
    return count


@pytest.mark.timeout(1200)
def test_no_command_breaks_a_limit(record_property):
    violations = sweep(STEPS)
    record_property("violations", violations)
    record_property("actions", STEPS)
    assert violations == 0


@pytest.mark.parametrize("name", ["clip_to_workspace", "clip_tilt", "clip_step"])
def test_without_any_one_of_the_limits_it_would(name, monkeypatch):
    without = {
        "clip_to_workspace": lambda position, quat, own: position,
        "clip_tilt": lambda quat, own: quat,
        "clip_step": lambda before, target, own, period_s: target,
    }
    monkeypatch.setattr(gate_module, name, without[name])
    monkeypatch.setattr(PoseShaper, "step", lambda self, goal, period_s: goal)  # it keeps them a second time
    assert sweep(5_000) > 0


@pytest.mark.parametrize("who", ["policy", "person"])
@pytest.mark.timeout(1800)
def test_nor_on_the_arm_with_its_physics_whoever_acts(who, record_property):
    rng = np.random.default_rng(1)
    steps = 20_000 if FULL else 300
    push = np.zeros(6)

    def act(step):
        nonlocal push
        if step % 40 == 0:
            push = rng.choice([-1.0, 1.0], 6)  # into a corner
        return (push + rng.normal(0, 0.5, 6)).astype(np.float32)

    practice = Practice("safety.max_force_n=100000", "safety.max_torque_nm=100000", "task.drive.max_steps=1000000",
                        "safety.motion=null", "safety.joints=null", policy=StubPolicy(act))  # fmt: skip
    if who == "person":
        practice.operator.act = lambda observation, info, policy_action: np.clip(policy_action, -1, 1)
    assert practice.run(steps).stop_reason == "interrupted"
    own = practice.env.gate.limits
    before, target = (
        np.concatenate(poses) for poses in (practice.robot.measured, [c.tcp_pose for c in practice.robot.commands])
    )
    # An arm that has swung a little over the box, by its inertia, is led back no faster than it may.
    low, high = np.array(own.workspace_low_m), np.array(own.workspace_high_m)
    over = np.maximum(low - before[:, :3], before[:, :3] - high).max(1).clip(0)
    record_property("overshoot_mm", 1e3 * float(over.max()))
    violations = broken(before[over == 0], target[over == 0], own)
    record_property("violations", violations)
    assert violations == 0
    assert over.max() <= 0.01
