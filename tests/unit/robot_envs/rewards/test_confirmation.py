import pytest

from steadyhand.robot_envs.rewards.confirmation import Confirmation, steps_of


def confirmed(rule, steps):
    confirmation = Confirmation(*rule)
    return [confirmation.add(bool(step)) for step in steps]


@pytest.mark.parametrize(
    ("rule", "steps", "expected"),
    [
        ((1, 1, 0), [0, 1, 0], [False, True, False]),
        ((2, 3, 0), [1, 0, 1, 0, 0, 1, 1], [False, False, True, False, False, False, True]),
        ((2, 2, 2), [1, 1, 1, 1, 0, 1, 1], [False, False, False, True, False, False, False]),
    ],
)
def test_a_rule_confirms_where_it_says(rule, steps, expected):
    assert confirmed(rule, steps) == expected


def test_a_new_episode_begins_with_nothing():
    confirmation = Confirmation(2, 2, 0)
    confirmation.add(True)
    confirmation.begin()
    assert not confirmation.add(True)


@pytest.mark.parametrize(("time_s", "steps"), [(0.0, 0), (0.05, 1), (0.3, 3), (0.31, 4)])
def test_a_time_is_whole_steps(time_s, steps):
    assert steps_of(time_s, 0.1) == steps
