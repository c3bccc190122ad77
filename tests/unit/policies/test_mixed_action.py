import numpy as np
import pytest
import torch

from steadyhand.policies import Policy, PolicySpecError
from steadyhand.policies.mixed_action import CLOSE, OPEN, STAY, MixedAction, decided, decision_scores, explored
from steadyhand.policies.noise import Noise
from steadyhand.runtime.gripper_entry import gripper_wish

OBSERVATION = {"state": np.zeros((2, 3), np.float32)}


@pytest.fixture
def spec(make_spec):
    return make_spec(action_size=4, gripper_entries=(1, 3), gripper_head="decisions")


def test_decisions_are_what_the_environment_does_with_an_entry():
    entries = torch.linspace(-1.0, 1.0, 41)
    np.testing.assert_array_equal(decided(entries).numpy() - STAY, gripper_wish(entries.numpy()))
    assert decided(torch.tensor([-1.0, 0.0, 1.0, torch.nan])).tolist() == [CLOSE, STAY, OPEN, STAY]


def test_an_action_is_taken_apart_and_joined_again(spec):
    mixed = MixedAction(spec)
    action = torch.tensor([[0.5, 1.0, -0.2, -1.0], [0.1, 0.0, 0.3, 1.0]])
    assert torch.equal(mixed.motion(action), action[:, [0, 2]])
    assert mixed.decisions(action).tolist() == [[OPEN, CLOSE], [STAY, OPEN]]
    assert torch.equal(mixed.join(mixed.motion(action), mixed.decisions(action)), action)


def test_an_action_without_decisions_stays_as_it_is(make_spec):
    mixed, action = MixedAction(make_spec(gripper_entries=(1,))), torch.rand(3, 2)
    assert mixed.motion(action) is action
    assert mixed.join(action, torch.zeros(3, 0)) is action


@pytest.mark.parametrize(
    ("certain", "advantage", "found"),
    [
        (True, 0.09, OPEN),
        (True, 0.11, CLOSE),
        (False, 0.0, OPEN),
        (False, 0.03, CLOSE),
    ],
)
def test_a_certain_clone_is_overruled_by_the_margin_and_an_unsure_one_by_less(certain, advantage, found):
    logits = torch.tensor([[[0.0, -80.0, 80.0 if certain else 0.2]]])
    values = torch.tensor([[[0.3 + advantage, 0.0, 0.3]]])
    assert decision_scores(logits, values, torch.tensor([1.0 / 0.1])).argmax() == found
    assert decision_scores(logits, values, torch.zeros(1)).argmax() == OPEN, "without gain the clone decides"


def test_epsilon_is_the_share_of_random_decisions():
    decisions, noise = torch.full((10_000, 1), CLOSE), Noise(0)
    assert explored(decisions, 0.0, noise) is decisions
    other = (explored(decisions, 0.3, noise) != CLOSE).float().mean()
    assert other == pytest.approx(0.3 * 2 / 3, abs=0.02)


def test_a_policy_acts_with_whole_decisions_beside_continuous_entries(spec):
    policy = Policy(spec, seed=3)
    batch = {"state": torch.randn(50, 2, 3)}
    for action in (policy.mode(batch), policy.sample(batch, Noise(0))[0]):
        assert action.shape == (50, 4)
        assert set(action[:, [1, 3]].flatten().tolist()) <= {-1.0, 0.0, 1.0}
        assert not set(action[:, [0, 2]].flatten().tolist()) & {-1.0, 0.0, 1.0}
    assert [value.shape for value in policy(batch)] == [(50, 2), (50, 2)]


def test_act_agrees_with_the_batched_path(spec):
    policy = Policy(spec, seed=3)
    batch = {"state": torch.randn(20, 2, 3)}
    for single, expected in zip(batch["state"], policy.mode(batch), strict=True):
        np.testing.assert_allclose(policy.act({"state": single.numpy()}, True), expected.detach().numpy(), atol=1e-6)


def test_only_draws_explore(make_spec):
    changes = {"action_size": 4, "gripper_entries": (1, 3), "gripper_head": "decisions"}
    policy = Policy(make_spec(decision_epsilon=1.0, **changes))
    modes = {tuple(policy.act(OBSERVATION, True)[[1, 3]]) for _ in range(5)}
    drawn = {tuple(policy.act(OBSERVATION, False)[[1, 3]]) for _ in range(200)}
    assert len(modes) == 1
    assert len(drawn) == 9


def test_the_values_begin_at_zero_and_the_clone_alone_decides(spec):
    policy = Policy(spec)
    features = torch.randn(8, policy.feature_size)
    _, _, logits = policy.clone(features)
    assert (policy.values(features) == 0.0).all()
    assert policy.decision_gain == 0.0
    assert torch.equal(policy.decisions(features, logits), logits.argmax(-1))


def test_a_draws_spread_starts_where_it_is_told_beside_decisions(make_spec):
    policy = Policy(make_spec(action_size=3, gripper_entries=(2,), gripper_head="decisions", log_std_start=-1.5))
    _, log_std = policy({"state": torch.randn(5, 2, 3)})
    torch.testing.assert_close(log_std, torch.full((5, 2), -1.5))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"gripper_entries": (2,)}, "gripper_entries"),
        ({"gripper_entries": (1, 0)}, "gripper_entries"),
        ({"gripper_entries": (0, 1), "gripper_head": "decisions"}, "fewer than the action's"),
        ({"gripper_head": "dice"}, "gripper_head"),
        ({"decision_epsilon": 1.5}, "decision_epsilon"),
    ],
)
def test_a_specification_that_cannot_be_is_refused(make_spec, changes, named):
    with pytest.raises(PolicySpecError, match=named):
        make_spec(**changes)
