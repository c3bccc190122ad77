import numpy as np
import pytest

from steadyhand.actor.wandering import Wandering


class Still:
    def __init__(self):
        self.resets = 0

    def reset(self, info):
        self.resets += 1

    def act(self, observation, info, policy_action):
        return np.zeros(3, np.float32)

    def may_resume(self, stop_reason):
        return stop_reason == "yes"

    def wants_park(self):
        return True

    def close(self):
        self.resets = -1


def actions(operator, episodes, steps=20):
    found = np.zeros((episodes, steps, 3), np.float32)
    for episode in range(episodes):
        operator.reset({})
        for step in range(steps):
            found[episode, step] = operator.act({}, {}, None)
    return found


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.5, 20, 60), (1.0, 80, 80)])
def test_it_wanders_in_its_share_of_the_episodes_from_some_step_on(share, low, high):
    still = Still()
    found = actions(Wandering(still, share, 0.7, 10, 3, 0), 80)
    moving = (found != 0.0).any(axis=2)
    assert low <= np.count_nonzero(moving.any(axis=1)) <= high
    assert (np.diff(moving.astype(int), axis=1) >= 0).all()  # once it has left the task, it stays away
    assert np.abs(found).max(initial=0.0) <= 1.0
    assert still.resets == 80
    if share == 1.0:
        assert len(set(moving.argmax(axis=1).tolist())) == 10


def test_it_does_the_task_again_once_the_task_is_done():
    operator = Wandering(Still(), 1.0, 0.5, 1, 3, 0)
    operator.reset({})
    assert operator.act({}, {"task_success": False}, None).any()
    assert not operator.act({}, {"task_success": True}, None).any()


def test_the_seed_fixes_it_and_the_rest_is_the_operator_s():
    one, other = Wandering(Still(), 1.0, 0.5, 5, 3, 7), Wandering(Still(), 1.0, 0.5, 5, 3, 7)
    np.testing.assert_array_equal(actions(one, 3), actions(other, 3))
    assert one.may_resume("yes")
    assert one.wants_park()
    one.close()
