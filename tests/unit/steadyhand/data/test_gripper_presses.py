import numpy as np
import pytest

from steadyhand.data.gripper_presses import wanted_states


def stated(entries, start="inferred"):
    actions = np.zeros((len(entries), 7), np.float32)
    actions[:, 0], actions[:, 6] = 0.7, entries
    found = wanted_states(actions, (6,), start)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :6], actions[:, :6])
    np.testing.assert_array_equal(actions[:, 6], np.float32(entries))  # the argument stays
    return found[:, 6].tolist()


def test_a_press_counts_until_the_opposite_one():
    assert stated([0, -0.93, -0.97, 0, 0.1, 0, 0.95, 0]) == [1, -1, -1, -1, -1, -1, 1, 1]


def test_less_than_half_is_no_press():
    assert stated([-0.5, 0.49, -0.3, 0.5, -0.49]) == [-1, -1, -1, 1, 1]


def test_before_the_first_press_the_gripper_was_in_the_other_state():
    assert stated([0, 0, 0.9]) == [-1, -1, 1]
    assert stated([0, 0, -0.9]) == [1, 1, -1]
    assert stated([0, 0, 0]) == [0, 0, 0]


@pytest.mark.parametrize(("start", "state"), [("open", 1), ("closed", -1)])
def test_a_given_start(start, state):
    assert stated([0, 0.2, -1], start) == [state, state, -1]
    assert stated([0, 0], start) == [state, state]


def test_two_grippers_have_a_state_each():
    actions = np.zeros((3, 14), np.float32)
    actions[1, 6], actions[2, 13] = -1.0, 1.0
    found = wanted_states(actions, (6, 13), "inferred")
    assert found[:, 6].tolist() == [1, -1, -1]
    assert found[:, 13].tolist() == [-1, -1, 1]
    assert wanted_states(actions, (), "open").tolist() == actions.tolist()
