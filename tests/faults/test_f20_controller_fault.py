"""F20: the robot reports a fault, or takes commands and does not move. It latches until a person resumes."""

from dataclasses import replace

import numpy as np
import pytest

from steadyhand.actor.pause import resume_after_stop
from steadyhand.robot_envs.frames import quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety import gate as gate_module
from tests.fault_kit import Fault, FaultPlan, Practice

AT = 5
FOREVER = 10_000


def in_fault(state):
    return replace(state, ok=np.zeros(1, np.bool_))


def practise(plan: FaultPlan, *overrides: str) -> Practice:
    practice = Practice(*overrides, plan=plan)
    practice.reason = practice.run().stop_reason
    return practice


def periods_to_stop(practice: Practice) -> float:
    """Check what has to be so, and return how long it took."""
    assert practice.reason == "robot_fault", "it went unnoticed"
    onset_ns = practice.onset_ns(AT)
    assert practice.robot.commands_after_stop(onset_ns) == 0
    return practice.robot.stop_periods(onset_ns, practice.period_ns)


def test_a_fault_stops_the_robot_within_a_period_and_nothing_is_commanded(record_property):
    practice = practise(FaultPlan(Fault(AT, in_fault, FOREVER)))
    periods = periods_to_stop(practice)
    record_property("stop_periods", periods)
    assert periods <= 1.0


def test_without_the_check_it_would_be_commanded_on(monkeypatch):
    monkeypatch.setattr(gate_module, "state_fault", lambda state, now_ns, limits: None)
    with pytest.raises(AssertionError, match="unnoticed"):
        periods_to_stop(practise(FaultPlan(Fault(AT, in_fault, FOREVER))))


def test_a_fault_that_passes_by_itself_is_not_forgiven():
    practice = practise(FaultPlan(Fault(AT, in_fault, 1)))
    commands = len(practice.robot.commands)
    for _ in range(3):
        practice.env.step(np.ones(6, np.float32))
    assert practice.env.stop_reason == "robot_fault"
    assert len(practice.robot.commands) == commands


def test_only_a_person_resumes_and_the_first_command_starts_at_the_measured_pose(record_property):
    practice = practise(FaultPlan(Fault(AT, in_fault, 1)))
    asked = []

    def stop():
        asked.append(practice.env.stop_reason)
        practice.operator.allows = len(asked) == 5
        return False

    # Somebody has moved the arm by hand meanwhile.
    world = practice.robot.world
    moved = world.tcp_pose()
    moved[:3] += [0.04, -0.03, 0.02]
    world.set_configuration(moved, 0.02)
    resume_after_stop(practice.env, practice.operator, practice.reason, stop, idle=lambda: None)
    assert asked == ["robot_fault"] * 5
    assert practice.env.stop_reason is None
    before = len(practice.robot.commands)
    practice.operator.action = np.zeros(6, np.float32)
    practice.robot.plan = FaultPlan()
    assert practice.run(1).stop_reason == "interrupted"
    target, measured = practice.robot.commands[before].tcp_pose[0], practice.robot.measured[before][0]
    jump_mm = 1e3 * float(np.linalg.norm(target[:3] - measured[:3]))
    turn = quat_multiply(quat_inverse(measured[3:]), target[3:])
    record_property("resume_jump_mm", jump_mm)
    assert jump_mm <= 1.0
    assert np.degrees(np.linalg.norm(rotvec_from_quat(turn))) <= 0.5


def locked(practice: Practice) -> None:
    """The drive takes every command and follows none."""
    practice.robot._robot.command = lambda command: None


def test_an_arm_that_does_not_follow_is_a_fault_too(record_property):
    practice = Practice()
    practice.operator.action[:2] = [0.9, 0.9]
    locked(practice)
    assert practice.run().stop_reason == "not_moving"
    onset_ns = practice.robot.times("command")[0]
    periods = practice.robot.stop_periods(onset_ns, practice.period_ns)
    record_property("not_moving_periods", periods)
    assert periods <= 6.0  # the window, and one
    assert practice.robot.commands_after_stop(onset_ns) == 0


def test_without_the_watch_it_would_be_commanded_on():
    practice = Practice("safety.motion=null")
    practice.operator.action[:2] = [0.9, 0.9]
    locked(practice)
    assert practice.run().stop_reason == "interrupted"
    assert len(practice.robot.commands) == 20
