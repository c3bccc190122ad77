import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety.gate import SafetyGate, StopReason
from tests.robot_kit import RecordingRobot, limits, make_robot_env, state


def command(n_arms: int = 1) -> RobotCommand:
    return RobotCommand(state(n_arms).tcp_pose.copy(), np.full(n_arms, 0.02))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 4])
def test_non_finite_command_stops_and_stays_stopped(value, place):
    gate = SafetyGate(limits(), 0.1)
    bad = command()
    bad.tcp_pose[0, place] = value
    assert gate.pass_command(bad, state()) is None
    assert gate.stop_reason is StopReason.NON_FINITE_ACTION
    assert gate.pass_command(command(), state()) is None
    gate.resume()
    assert gate.pass_command(command(), state()) is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"wrench": np.array([[0.0, 0.0, 61.0, 0.0, 0.0, 0.0]])}, StopReason.FORCE_LIMIT),
        ({"wrench": np.array([[0.0, 0.0, 0.0, 0.0, 11.0, 0.0]])}, StopReason.TORQUE_LIMIT),
        ({"wrench": np.full((1, 6), np.nan)}, StopReason.NON_FINITE_STATE),
        ({"ok": np.array([False])}, StopReason.ROBOT_FAULT),
        ({"stamp_ns": -300_000_000}, StopReason.STALE_STATE),
    ],
)
def test_state_that_must_stop_the_robot(change, reason):
    gate = SafetyGate(limits(), 0.1)
    assert gate.check_state(state(**change), 0) is reason
    assert gate.pass_command(command(), state()) is None


def test_good_state_does_not_stop():
    gate = SafetyGate(limits(), 0.1)
    assert gate.check_state(state(), 100_000_000) is None
    assert gate.stop_reason is None


def test_first_reason_stays_latched():
    gate = SafetyGate(limits(), 0.1)
    gate.check_state(state(ok=np.array([False])), 0)
    gate.check_state(state(wrench=np.full((1, 6), 1e3)), 0)
    assert gate.stop_reason is StopReason.ROBOT_FAULT


def test_two_arms_are_limited_apart():
    gate = SafetyGate(limits(), 0.1)
    wanted = command(2)
    wanted.tcp_pose[1, 0] = 5.0
    passed = gate.pass_command(wanted, state(2))
    assert passed is not None
    assert passed.tcp_pose[0] == pytest.approx(state(2).tcp_pose[0])
    assert passed.tcp_pose[1, 0] == pytest.approx(0.525)


def violations(measured: np.ndarray, target: np.ndarray, own) -> list[str]:
    """What is wrong with commands (N, 7) given the poses (N, 7) measured before them; written apart from the gate."""
    found = []
    low, high = np.array(own.workspace_low_m), np.array(own.workspace_high_m)
    inside_before = ((measured[:, :3] >= low - 1e-9) & (measured[:, :3] <= high + 1e-9)).all(1)
    inside_after = ((target[:, :3] >= low - 1e-9) & (target[:, :3] <= high + 1e-9)).all(1)
    if (inside_before & ~inside_after).any():
        found.append("left the workspace")
    if (np.linalg.norm(target[:, :3] - measured[:, :3], axis=1) > own.max_tcp_speed_m_s * 0.1 + 1e-9).any():
        found.append("too fast")
    cosine = np.abs((target[:, 3:] * measured[:, 3:]).sum(1)).clip(0.0, 1.0)
    if (2 * np.arccos(cosine) > own.max_tcp_angular_speed_rad_s * 0.1 + 1e-6).any():
        found.append("turned too fast")
    tilt_after = 2 * np.arccos(np.abs(target[:, 3:] @ np.array(own.nominal_quat)).clip(0.0, 1.0))
    tilt_before = 2 * np.arccos(np.abs(measured[:, 3:] @ np.array(own.nominal_quat)).clip(0.0, 1.0))
    if ((tilt_before <= own.max_tilt_rad) & (tilt_after > own.max_tilt_rad + 1e-6)).any():
        found.append("tilted too far")
    if not np.isfinite(target).all():
        found.append("not finite")
    return found


def random_walk(gated: bool, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Follow wild commands from a random start, with or without the gate. Returns measured and commanded poses."""
    rng = np.random.default_rng(0)
    own, n = limits(), 1000
    gate = SafetyGate(own, 0.1)
    pose = frames.pose(rng.uniform(own.workspace_low_m, own.workspace_high_m, (n, 3)), own.nominal_quat)
    measured, commanded = [], []
    for _ in range(steps // n):
        jump = np.concatenate([rng.normal(0, 0.1, (n, 3)), rng.normal(0, 0.5, (n, 3))], axis=1)
        wanted = RobotCommand(frames.pose_compose(pose, frames.pose_from_vector(jump)), np.zeros(n))
        passed = gate.pass_command(wanted, state(n, tcp_pose=pose)) if gated else wanted
        assert passed is not None
        measured.append(pose)
        commanded.append(passed.tcp_pose)
        # The robot follows part of the way and is pushed a little.
        step = frames.pose_to_vector(frames.pose_relative(pose, passed.tcp_pose)) * rng.uniform(0, 1, (n, 1))
        pose = frames.pose_compose(pose, frames.pose_from_vector(step))
    return np.concatenate(measured), np.concatenate(commanded)


@pytest.mark.slow
def test_hundred_thousand_random_actions_break_no_limit():
    measured, commanded = random_walk(gated=True, steps=100_000)
    assert len(commanded) == 100_000
    assert violations(measured, commanded, limits()) == []


def test_the_same_actions_without_the_gate_break_every_limit():
    measured, commanded = random_walk(gated=False, steps=10_000)
    assert set(violations(measured, commanded, limits())) == {
        "left the workspace",
        "too fast",
        "turned too fast",
        "tilted too far",
    }


def test_random_actions_break_no_limit_at_the_simulated_robot():
    env = make_robot_env("task=peg_insert")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    rng = np.random.default_rng(1)
    stops = 0
    for episode in range(12):
        env.reset(seed=episode)
        ended = False
        while not ended:
            _, _, terminated, truncated, _ = env.step(rng.uniform(-3.0, 3.0, 6).astype(np.float32))
            ended = terminated or truncated
        if env.stop_reason is not None:
            before = len(recorder.commands)
            assert recorder.holds > 0
            env.step(np.zeros(6, np.float32))
            assert len(recorder.commands) == before
            stops += 1
            env.resume()
    measured = np.concatenate(recorder.measured)
    commanded = np.concatenate([c.tcp_pose for c in recorder.commands])
    assert len(commanded) > 200
    assert violations(measured, commanded, env.gate.limits) == []


def test_a_silent_source_stops_with_its_name():
    gate = SafetyGate(limits(), 0.1)
    assert gate.check_state(state(silent_source="external_wrench"), 0) is StopReason.STALE_STATE
    assert gate.stop_text == "stale_state (external_wrench)"
    gate.resume()
    assert gate.stop_text == ""
    gate.check_state(state(ok=np.zeros(1, np.bool_)), 0)
    assert gate.stop_text == "robot_fault"


def test_a_person_stops_from_outside_the_loop():
    gate = SafetyGate(limits(), 0.1)
    gate.stop(StopReason.PERSON_STOP)
    gate.stop(StopReason.NOT_ENABLED)
    assert gate.stop_text == "person_stop"
    now = state()
    assert gate.pass_command(RobotCommand(now.tcp_pose, now.gripper_width), now) is None
