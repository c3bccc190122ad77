"""F13: an action is not finite, or far outside of its range. No such command reaches the robot."""

import numpy as np
import pytest

from steadyhand.robot_envs.safety.gate import SafetyGate, limit_command
from tests.fault_kit import Practice, StubPolicy

AT = 4  # the step whose action is at fault
SOUND = [0.5, 0, 0, 0, 0, 0]


def practise(value: float, entry: int = 2) -> Practice:
    def act(step):
        action = np.array(SOUND)
        if step == AT:
            action[entry] = value
        return action

    practice = Practice(policy=StubPolicy(act))
    follow = practice.robot._robot.command
    # What is not finite would break the physics; the account has it by then.
    practice.robot._robot.command = lambda command: follow(command) if np.isfinite(command.tcp_pose).all() else None
    practice.reason = practice.run().stop_reason
    return practice


def periods_to_stop(practice: Practice) -> float:
    """Check what has to be so, and return how long it took."""
    robot, rows = practice.robot, practice.rows()
    assert all(np.isfinite(command.tcp_pose).all() for command in robot.commands), "it was commanded"
    assert practice.reason == "non_finite_action"
    assert len(robot.commands) == AT
    onset_ns = practice.onset_ns(AT + 1)
    assert robot.commands_after_stop(onset_ns) == 0
    assert np.isfinite(rows["action"]).all()
    assert rows["valid"].tolist() == [True] * AT + [False, False]
    return robot.stop_periods(onset_ns, practice.period_ns)


@pytest.mark.parametrize("entry", [0, 5])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_action_that_is_not_finite_holds_the_robot_at_once(value, entry, record_property):
    periods = periods_to_stop(practise(value, entry))
    record_property("stop_periods", periods)
    assert periods <= 1.0


def test_without_the_gate_s_check_it_would_be_commanded(monkeypatch):
    def limit(gate, command, state):
        return limit_command(command, state, gate.limits, gate._period_s)

    monkeypatch.setattr(SafetyGate, "pass_command", limit)
    with pytest.raises(AssertionError, match="it was commanded"):
        periods_to_stop(practise(np.nan))


@pytest.mark.parametrize("value", [7.0, -1e30])
def test_an_action_out_of_range_is_brought_into_it_and_what_was_done_is_recorded(value):
    practice, bounded = practise(value), practise(float(np.sign(value)))
    assert practice.reason == "interrupted"
    sent, wanted = (each.robot.commands[AT].tcp_pose for each in (practice, bounded))
    assert sent == pytest.approx(wanted)
    assert practice.rows()["gated_command"][AT] == pytest.approx(practice.robot.commands[AT].flat())
