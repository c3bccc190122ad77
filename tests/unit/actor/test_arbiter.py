import numpy as np
import pytest

from steadyhand.actor.authority import HandOver
from steadyhand.robot_envs.devices.operator import HOLD
from tests.unit.actor.point_env import arbiter as make_arbiter

POLICY = np.array([0.1, 0.2], np.float32)
HUMAN = np.array([-1.0, 1.0], np.float32)
S = 1_000_000_000
RAMPED = HandOver(release_hold_s=0.0, takeover_ramp_s=0.3, hand_back_ramp_s=0.2)


def holding(release_hold_s):
    return make_arbiter(HandOver(release_hold_s, 0.0, 0.0))


def sizes(arbiter, wishes, start=0):
    """How large the first entry of each action that is sent is, in steps of a tenth of a second."""
    steps = [arbiter.decide(POLICY, wish, (start + step) * S // 10) for step, wish in enumerate(wishes)]
    return [float(step.sent[0]) / float(HUMAN[0] if step.has_human else POLICY[0]) for step in steps]


def test_the_policy_acts_while_nobody_is_engaged():
    decision = holding(0.3).decide(POLICY, None, 0)
    assert decision == (POLICY, POLICY, None, False, False, None)
    assert decision.sent is POLICY


def test_the_person_goes_before_the_policy():
    decision = holding(0.3).decide(POLICY, HUMAN, 0)
    assert decision.action is HUMAN
    assert decision.human_action is HUMAN
    assert decision.policy_action is POLICY
    assert decision.has_human


@pytest.mark.parametrize("hold_s", [0.0, 0.3])
def test_the_policy_comes_back_after_the_hold(hold_s):
    arbiter = holding(hold_s)
    arbiter.decide(POLICY, HUMAN, 10 * S)
    still = 0
    while (decision := arbiter.decide(POLICY, None, 10 * S + (still + 1) * S // 10)).action is not POLICY:
        assert (decision.action == 0).all()
        assert not decision.has_human
        assert decision.policy_action is POLICY
        still += 1
    assert still == round(hold_s * 10)


def test_engaging_again_starts_the_hold_anew():
    arbiter = holding(0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    arbiter.decide(POLICY, HUMAN, S // 5)
    assert (arbiter.decide(POLICY, None, 2 * S // 5).action == 0).all()


def test_a_new_episode_forgets_the_last_ones_person():
    arbiter = holding(0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    arbiter.reset()
    assert arbiter.decide(POLICY, None, 1).action is POLICY


def test_without_anybody_the_robot_stands_still():
    decision = holding(0.0).decide(None, None, 0)
    assert (decision.action == 0).all()
    assert not decision.has_human


def test_a_hold_is_nobodys_action():
    arbiter = holding(0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    decision = arbiter.decide(POLICY, HOLD, S // 10)
    assert (decision.action == 0).all()
    assert decision.policy_action is POLICY
    assert decision.human_action is None
    assert (decision.has_human, decision.holds) == (False, True)


def test_a_hold_lasts_as_long_as_the_operator_says():
    arbiter = holding(0.3)
    arbiter.decide(POLICY, HUMAN, 0)
    assert all(arbiter.decide(POLICY, HOLD, second * S).holds for second in range(1, 100))
    assert arbiter.decide(POLICY, None, 100 * S).action is POLICY


def test_a_takeover_and_a_hand_back_are_ramped():
    arbiter = make_arbiter(RAMPED)
    wishes = [None, HUMAN, HUMAN, HUMAN, HUMAN, None, None, None, HUMAN]
    assert sizes(arbiter, wishes) == pytest.approx([1.0, 1 / 3, 2 / 3, 1.0, 1.0, 0.5, 1.0, 1.0, 1 / 3])


def test_what_is_recorded_is_what_was_asked_for_and_what_is_sent_is_ramped():
    decision = make_arbiter(RAMPED).decide(POLICY, HUMAN, 0)
    assert decision.sent == pytest.approx(HUMAN / 3)
    assert decision.sent.dtype == np.float32
    assert decision.action is HUMAN
    assert decision.human_action is HUMAN
    assert decision.policy_action is POLICY


def test_the_policy_is_ramped_after_a_hold_and_the_person_too():
    assert sizes(make_arbiter(RAMPED), [None, HOLD, None, None]) == pytest.approx([1.0, 0.0, 0.5, 1.0])
    assert sizes(make_arbiter(RAMPED), [HUMAN] * 3 + [HOLD, HUMAN]) == pytest.approx([1 / 3, 2 / 3, 1, 0.0, 1 / 3])


def test_a_pause_within_a_correction_begins_no_new_ramp():
    arbiter = make_arbiter(HandOver(0.3, 0.3, 0.2))
    assert sizes(arbiter, [HUMAN] * 3 + [None, HUMAN]) == pytest.approx([1 / 3, 2 / 3, 1.0, 0.0, 1.0])
    assert sizes(arbiter, [None] * 5, 5) == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0])
    assert sizes(arbiter, [HUMAN], 10) == pytest.approx([1 / 3])


def test_each_episode_begins_with_the_policy_at_its_full_size_and_a_ramp_for_the_person():
    arbiter = make_arbiter(RAMPED)
    sizes(arbiter, [HUMAN] * 5)
    arbiter.reset()
    assert sizes(arbiter, [None, HUMAN], 5) == pytest.approx([1.0, 1 / 3])


def test_a_grippers_entry_is_never_ramped():
    decision = make_arbiter(RAMPED, ramped=(True, False)).decide(POLICY, HUMAN, 0)
    assert decision.sent == pytest.approx([HUMAN[0] / 3, HUMAN[1]])


def test_without_a_ramp_the_first_step_has_its_full_size():
    assert sizes(make_arbiter(), [None, HUMAN, None]) == pytest.approx([1.0, 1.0, 1.0])
