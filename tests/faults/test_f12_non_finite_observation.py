"""F12: a number of the robot's state is not finite. The robot holds, and nobody chooses from it or learns from it."""

import numpy as np
import pytest

from steadyhand.actor import episode
from steadyhand.robot_envs.robot import RobotState
from steadyhand.transport.record import valid_starts
from tests.fault_kit import Fault, FaultPlan, Practice, StubPolicy, not_finite

FIELDS = ("tcp_pose", "tcp_twist", "wrench", "gripper_width")
VALUES = (np.nan, np.inf, -np.inf)
AT = 5  # the reading that is at fault


def practise(field: str, value: float) -> Practice:
    plan = FaultPlan(Fault(AT, not_finite(field, value)))
    practice = Practice(plan=plan, policy=StubPolicy(lambda step: [0.5, 0, 0, 0, 0, 0]))
    practice.reason = practice.run().stop_reason
    return practice


def periods_to_stop(practice: Practice) -> float:
    """Check what has to be so, and return how long it took."""
    onset_ns = practice.onset_ns(AT)
    rows = practice.rows()
    observed = [name for name in rows.dtype.names if name.startswith("observation/")]
    assert all(np.isfinite(rows[name]).all() for name in observed), "a number that is not finite is stored"
    assert practice.selector._runner.step == AT, "an action was chosen from a state that is not finite"
    assert practice.reason == "non_finite_state"
    assert practice.robot.commands_after_stop(onset_ns) == 0
    assert rows["valid"].tolist() == [True] * (AT - 1) + [False, False]
    assert rows["seq"].tolist() == list(range(AT + 1))
    # The step before led to a record that is not valid, so nothing starts there either.
    assert valid_starts(rows).tolist() == [True] * (AT - 2) + [False] * 3
    return practice.robot.stop_periods(onset_ns, practice.period_ns)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", FIELDS)
def test_the_robot_holds_within_a_period_and_the_record_does_not_count(field, value, record_property):
    periods = periods_to_stop(practise(field, value))
    record_property("stop_periods", periods)
    assert periods <= 1.0


def test_the_stop_stays_until_a_person_resumes():
    practice = practise("wrench", np.nan)
    assert practice.env.stop_reason == "non_finite_state"
    practice.env.resume()
    assert practice.run().stop_reason == "non_finite_state"  # the plan has it again at the same reading
    practice.robot.plan = FaultPlan()
    practice.env.resume()
    assert practice.run().stop_reason == "interrupted"


def test_without_the_gate_the_record_s_own_check_stops_the_robot(monkeypatch):
    monkeypatch.setattr(RobotState, "is_finite", lambda state: True)
    assert practise("tcp_twist", np.nan).reason == "non_finite_observation"


def test_without_both_checks_it_would_be_acted_on_and_stored(monkeypatch):
    def copy(view, values):
        view[...] = 0.0 if values is None else values
        return True

    monkeypatch.setattr(RobotState, "is_finite", lambda state: True)
    monkeypatch.setattr(episode, "_copy_finite", copy)
    with pytest.raises(AssertionError, match="is stored"):
        periods_to_stop(practise("tcp_twist", np.nan))
