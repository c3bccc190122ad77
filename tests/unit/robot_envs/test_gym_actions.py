import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.robot_envs.gym_actions import ActionScaling
from steadyhand.robot_envs.gym_fields import SpaceError


def test_bounds_of_each_entry_are_reached_and_undone():
    scaling = ActionScaling(spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 10.0]), dtype=np.float64), None)
    assert scaling.to_inner(np.array([-1.0, 1.0])).tolist() == [-2.0, 10.0]
    assert scaling.to_inner(np.array([0.0, 9.0])).tolist() == [0.0, 10.0]
    assert scaling.to_outer(np.array([1.0, 5.0])).tolist() == [0.5, 0.0]
    assert scaling.to_outer(np.array([9.0, -5.0])).tolist() == [1.0, -1.0]


def test_shape_and_type_are_the_environments():
    scaling = ActionScaling(spaces.Box(-5, 5, (1, 2), np.int32), None)
    inner = scaling.to_inner(np.array([0.33, -0.37]))
    assert (inner.dtype, inner.tolist()) == (np.int32, [[2, -2]])  # the nearest whole number, not the next to zero
    assert scaling.size == 2


def test_an_entry_with_one_value_only_is_zero_and_stays_it():
    scaling = ActionScaling(spaces.Box(np.array([-1, 3], np.float32), np.array([1, 3], np.float32)), None)
    assert scaling.to_inner(np.array([0.5, -0.7])).tolist() == [0.5, 3.0]
    assert scaling.to_outer(np.array([0.5, 3.0])).tolist() == [0.5, 0.0]


def test_what_has_no_bounds_is_scaled_by_the_explicit_one():
    space = spaces.Box(np.array([-np.inf, 0.0, -1.0]), np.array([np.inf, np.inf, 1.0]), dtype=np.float64)
    scaling = ActionScaling(space, 4.0)
    assert scaling.to_inner(np.ones(3)).tolist() == [4.0, 4.0, 1.0]
    assert scaling.to_inner(-np.ones(3)).tolist() == [-4.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("space", "bound", "text"),
    [
        (spaces.Discrete(3), 1.0, r"bounded Box action, found Discrete\(3\)"),
        (spaces.Dict(a=spaces.Box(-1, 1, (1,))), None, "bounded Box action, found Dict"),
        (spaces.Box(-np.inf, 1, (2,)), None, r"task\.action_bound"),
        (spaces.Box(np.finfo(np.float32).min, np.finfo(np.float32).max, (2,)), None, r"task\.action_bound"),
        (spaces.Box(-1, 1, (0,)), None, "at least one number"),
        (spaces.Box(5, np.inf, (1,)), 4.0, "lower bounds are below"),
    ],
)
def test_what_cannot_be_scaled_is_refused(space, bound, text):
    with pytest.raises(SpaceError, match=text) as caught:
        ActionScaling(space, bound)
    assert "\n" not in str(caught.value)
