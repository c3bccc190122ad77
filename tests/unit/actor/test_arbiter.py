import numpy as np
import pytest

from actor.arbiter import Arbiter
from robot_envs.devices.operator import HOLD

POLICY = np.array([0.1, 0.2], np.float32)
HUMAN = np.array([-1.0, 1.0], np.float32)
S = 1_000_000_000


def test_the_policy_acts_while_nobody_is_engaged():
    decision = Arbiter(2, 0.3).decide(POLICY, None, 0)
    assert decision == (POLICY, POLICY, None, False, False)


def test_the_person_goes_before_the_policy():
    decision = Arbiter(2, 0.3).decide(POLICY, HUMAN, 0)
    assert decision.action is HUMAN
    assert decision.human_action is HUMAN
    assert decision.policy_action is POLICY
    assert decision.has_human


@pytest.mark.parametrize("hold_s", [0.0, 0.3])
def test_the_policy_comes_back_after_the_hold(hold_s):
    arbiter = Arbiter(2, hold_s)
    arbiter.decide(POLICY, HUMAN, 10 * S)
    still = 0
    while (decision := arbiter.decide(POLICY, None, 10 * S + (still + 1) * S // 10)).action is not POLICY:
        assert (decision.action == 0).all()
        assert not decision.has_human
        assert decision.policy_action is POLICY
        still += 1
    assert still == round(hold_s * 10)


def test_engaging_again_starts_the_hold_anew():
    arbiter = Arbiter(2, 0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    arbiter.decide(POLICY, HUMAN, S // 5)
    assert (arbiter.decide(POLICY, None, 2 * S // 5).action == 0).all()


def test_a_new_episode_forgets_the_last_ones_person():
    arbiter = Arbiter(2, 0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    arbiter.reset()
    assert arbiter.decide(POLICY, None, 1).action is POLICY


def test_without_anybody_the_robot_stands_still():
    decision = Arbiter(2, 0.0).decide(None, None, 0)
    assert (decision.action == 0).all()
    assert not decision.has_human


def test_a_hold_is_nobodys_action():
    arbiter = Arbiter(2, 0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    decision = arbiter.decide(POLICY, HOLD, S // 10)
    assert (decision.action == 0).all()
    assert decision.policy_action is POLICY
    assert decision.human_action is None
    assert (decision.has_human, decision.holds) == (False, True)


def test_a_hold_lasts_as_long_as_the_operator_says():
    arbiter = Arbiter(2, 0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    assert all(arbiter.decide(POLICY, HOLD, second * S).holds for second in range(1, 100))
    assert arbiter.decide(POLICY, None, 100 * S).action is POLICY
