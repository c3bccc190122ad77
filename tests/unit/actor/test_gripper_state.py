import numpy as np
import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter, Decision
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.gripper_state import GripperState
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.gripper import commanded_wish, gripper_wish
from steadyhand.robot_envs.make import make_demonstrator, make_env
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.config import compose
from steadyhand.transport.record import Kind, Phase

GRIPPER = 2


def human(gripper):
    action = np.array([0.1, 0.2, gripper], np.float32)
    return Decision(action, None, action, True)


def policy(gripper):
    action = np.array([0.1, 0.2, gripper], np.float32)
    return Decision(action, action, None, False)


def still():
    return Decision(np.zeros(3, np.float32), None, None, False)


def grippers(state, decisions):
    return [float(state.complete(decision).action[GRIPPER]) for decision in decisions]


def test_a_short_press_is_recorded_as_the_state_that_it_chose():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    presses = [human(0.0), human(-1.0), human(0.0), human(0.0), still(), human(1.0), human(0.0)]
    assert grippers(state, presses) == [1, -1, -1, -1, -1, 1, 1]


def test_the_persons_action_and_the_one_that_is_done_stay_the_same():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    given = human(0.0)
    completed = state.complete(given)
    assert completed.human_action is completed.action
    np.testing.assert_allclose(completed.action, [0.1, 0.2, 1.0])
    assert given.action[GRIPPER] == 0.0  # the operator's own array is not written


def test_after_the_policy_the_state_goes_on_from_what_it_commanded():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    assert grippers(state, [policy(-0.9), policy(0.1), human(0.0), policy(0.5), human(0.0)]) == pytest.approx(
        [-0.9, 0.1, -1, 0.5, 1]  # the policy's own entries are as it gave them
    )


def test_a_policys_action_that_a_ramp_has_changed_is_left_alone_too():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    ramped = policy(0.1)._replace(action=np.array([0.05, 0.1, 0.1], np.float32))
    assert state.complete(ramped) is ramped


def test_a_robot_that_is_to_hold_is_given_rest_alone_and_the_record_shows_the_state():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    state.complete(human(-1.0))
    holding = state.complete(still()._replace(holds=True))
    assert holding.action.tolist() == [0, 0, -1]
    assert holding.sent.tolist() == [0, 0, 0]
    assert grippers(state, [still()]) == [-1]


def test_a_width_between_open_and_closed_is_left_until_a_button_is_pressed():
    state = GripperState([GRIPPER])
    state.begin([0.0])
    assert grippers(state, [human(0.0), still(), human(-1.0), human(0.0)]) == [0, 0, -1, -1]


def test_an_episode_starts_from_what_is_commanded_then():
    state = GripperState([GRIPPER])
    state.begin([1.0])
    state.complete(human(-1.0))
    state.begin([1.0])
    assert grippers(state, [human(0.0)]) == [1]


def test_arms_have_a_state_each_and_without_a_gripper_nothing_changes():
    state = GripperState([0, 2])
    state.begin([1.0, -1.0])
    np.testing.assert_allclose(state.complete(human(0.0)).action, [1.0, 0.2, -1.0])
    decision = human(0.0)
    assert GripperState([]).complete(decision) is decision


def test_entries_act_from_a_size_on_and_widths_say_which_entry_commands_them():
    assert gripper_wish(np.array([1.0, 0.31, 0.3, 0.0, -0.3, -0.31])).tolist() == [1, 1, 0, 0, 0, -1]
    assert commanded_wish(np.array([0.08, 0.0, 0.02]), 0.08).tolist() == [1, -1, 0]


class Presser(NoOperator):
    """Moves all the time, and has a button down for two steps."""

    PRESSES = (0.0, -1.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0)

    def __init__(self):
        self.step = 0

    def act(self, observation, info, policy_action):
        gripper = self.PRESSES[self.step]
        self.step += 1
        return np.array([0.1, 0, 0, 0, 0, 0, gripper], np.float32)


def test_a_recorded_demonstration_shows_the_held_state_and_commands_the_same_width():
    env = make_env(compose(["task=pick_place"]), 0)
    rows, operator = [], Presser()
    loop = ControlLoop(env, env_schema(env), lambda record: rows.append(record.copy()))
    selector = ActionSelector(operator, Arbiter(teachable(env).motion_entries, AT_ONCE, env.control_period_s))
    loop.run_episode(0, Phase.DEMO, selector, 0, may_step=lambda: operator.step < len(Presser.PRESSES))
    env.close()
    steps = [row for row in rows if row["kind"] == Kind.STEP]
    assert [float(row["human_action"][6]) for row in steps] == [1, -1, -1, -1, -1, 1, 1, 1]
    assert [float(row["action"][6]) for row in steps] == [1, -1, -1, -1, -1, 1, 1, 1]
    widths = [float(row["gated_command"][7]) for row in steps]
    np.testing.assert_allclose(widths, [0.08, 0, 0, 0, 0, 0.08, 0.08, 0.08], atol=1e-6)


def demonstrated(press_steps, steps):
    """The first steps of a scripted demonstration: recorded entries, and commanded widths."""
    config = compose(["task=pick_place", f"device.demonstrator.press_steps={press_steps}"])
    env, rows = make_env(config, 0), []
    loop = ControlLoop(env, env_schema(env), lambda record: rows.append(record.copy()))
    selector = ActionSelector(make_demonstrator(config, env, 0), Arbiter(env.motion_entries, AT_ONCE, 0.1))
    summary = loop.run_episode(0, Phase.DEMO, selector, 0, may_step=lambda: len(rows) < steps)
    env.close()
    kept = [row for row in rows if row["kind"] == Kind.STEP]
    entries = np.array([float(row["action"][6]) for row in kept])
    return summary, entries, np.array([float(row["gated_command"][7]) for row in kept])


def test_short_presses_and_a_held_button_are_recorded_as_the_same_states():
    held, held_entries, held_widths = demonstrated("null", 80)
    pressed, entries, widths = demonstrated(3, 80)
    assert held.success
    assert pressed.success
    for recorded, commanded in ((held_entries, held_widths), (entries, widths)):
        np.testing.assert_array_equal(gripper_wish(recorded), np.where(commanded > 0.04, 1.0, -1.0))
    assert np.abs(np.diff(gripper_wish(entries))).sum() == 2 * 2  # it closes once, and opens once


def test_without_the_state_short_presses_are_recorded_as_no_wish(monkeypatch):
    """The twin: a clone of these actions imitates an open hand's 0 nearly everywhere."""
    monkeypatch.setattr(GripperState, "complete", lambda self, decision: decision)
    pressed, entries, widths = demonstrated(3, 80)
    assert pressed.success
    assert (gripper_wish(entries) == 0.0).mean() > 0.8
    assert (gripper_wish(entries)[widths < 0.04] == 0.0).mean() > 0.5  # the part is in the hand


class Policy:
    """Closes the gripper in its first step, and then wishes nothing."""

    ready, policy_version = True, 0

    def __init__(self):
        self.step = 0

    def begin(self, observation):
        pass

    def observe(self, observation):
        pass

    def act(self, deterministic):
        self.step += 1
        return np.array([0.1, 0, 0, 0, 0, 0, -0.9 if self.step == 1 else 0.2], np.float32)


class TakesOver(NoOperator):
    """Moves in every third and fourth step, and presses no button."""

    def __init__(self):
        self.step = -1

    def act(self, observation, info, policy_action):
        self.step += 1
        return np.array([0.1, 0, 0, 0, 0, 0, 0], np.float32) if self.step % 4 >= 2 else None


def corrected():
    env, rows = make_env(compose(["task=pick_place"]), 0), []
    loop = ControlLoop(env, env_schema(env), lambda record: rows.append(record.copy()))
    selector = ActionSelector(TakesOver(), Arbiter(env.motion_entries, AT_ONCE, 0.1), Policy())
    loop.run_episode(0, Phase.TRAIN, selector, 0, may_step=lambda: len(rows) < 8)
    env.close()
    steps = [row for row in rows if row["kind"] == Kind.STEP]
    return [round(float(row["action"][6]), 3) for row in steps], [float(row["gated_command"][7]) for row in steps]


def test_taking_over_and_handing_back_neither_opens_nor_closes():
    entries, widths = corrected()
    assert entries == [-0.9, 0.2, -1, -1, 0.2, 0.2, -1, -1]  # the person's steps show the state that the policy left
    np.testing.assert_allclose(widths, 0.0, atol=1e-6)


def test_a_state_that_does_not_follow_the_policy_would_open_the_hand_at_a_takeover(monkeypatch):
    complete = GripperState.complete
    monkeypatch.setattr(
        GripperState, "complete", lambda self, decision: complete(self, decision) if decision.has_human else decision
    )
    entries, widths = corrected()
    assert entries[2] == 1
    assert widths[1] < 0.001 < widths[2]
