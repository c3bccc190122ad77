import numpy as np
import pytest
import torch

from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.vice import Vice, ViceSettings
from steadyhand.policies import Policy
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.settings_kit import shipped

SMALL = {"batch_size": 32, "critic_hidden": (16, 16), "classifier_hidden": (16,), "policy_delay": 1, "examples": 8}


@pytest.fixture
def make_vice(make_spec):
    def make(pixels=False, **changes):
        settings = shipped(ViceSettings, "algo", "algo=vice", **(SMALL | changes))
        return Vice(settings, Policy(make_spec(pixels), 0), 0)

    return make


def block_of(make_block, make_spec, demo_next, practice_next, seed=0):
    """Rows whose first half are rewarded demonstrations that end in states (3,), the others of practice; no noise."""
    block, half = make_block(make_spec(), rows=32, seed=seed), 16
    rng = np.random.default_rng(seed)
    for rows, state in ((slice(0, half), demo_next), (slice(half, None), practice_next)):
        block["next_observation"]["state"][rows, 0] = state + 0.05 * rng.normal(size=(half, 3))
    block["is_demo"] = np.arange(32) < half
    block["is_correction"] = np.zeros(32, bool)
    block["reward"] = block["is_demo"].astype(np.float32)
    return block


def chance(algo, state):
    features = torch.tensor(np.array([state], np.float32))
    with torch.no_grad():
        return float(algo.chance(features))


DONE, AWAY, ALIKE = np.array([1.0, 1.0, 1.0]), np.array([-1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0])


def test_a_state_that_only_looks_like_success_loses_its_chance_when_the_policy_goes_there(
    make_vice, make_block, make_spec
):
    algo = make_vice(classifier_lr=1e-2)
    for seed in range(60):
        algo.update(block_of(make_block, make_spec, DONE, AWAY, seed))
    before = chance(algo, ALIKE)
    assert chance(algo, DONE) > 0.8
    assert chance(algo, AWAY) < 0.2
    assert before > 0.5, "nothing has told it from success yet"
    for seed in range(60, 160):
        algo.update(block_of(make_block, make_spec, DONE, ALIKE, seed))
    assert chance(algo, ALIKE) < 0.3 < before
    assert chance(algo, DONE) > 0.7


def test_negatives_come_from_practice_alone(make_vice, make_block, make_spec):
    found = []
    for changed in (False, True):
        algo, block = make_vice(), block_of(make_block, make_spec, DONE, AWAY)
        block["reward"][8:16] = 0.0  # demonstrated, and no success
        if changed:
            block["next_observation"]["state"][8:16] += 3.0
        batch = Batch.from_block(block, algo.device)
        algo.update_classifier(algo._keep(batch), ~batch.is_demo)
        found.append([value.clone() for value in algo.classifier.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("missing", ["examples", "practice"])
def test_without_examples_or_practice_the_classifier_waits(make_vice, make_block, make_spec, missing):
    algo, block = make_vice(), block_of(make_block, make_spec, DONE, AWAY)
    if missing == "examples":
        block["reward"][:] = 0.0
    else:
        block["is_demo"][:] = True
    before = [value.clone() for value in algo.classifier.parameters()]
    algo.update(block)
    assert all(torch.equal(one, other) for one, other in zip(before, algo.classifier.parameters(), strict=True))


def test_success_examples_are_rewarded_demonstrations_and_the_newest_stay(make_vice, make_block, make_spec):
    algo = make_vice(examples=8)
    block = block_of(make_block, make_spec, DONE, AWAY)
    block["reward"] = np.where(np.arange(32) % 2 == 0, 1.0, 0.0).astype(np.float32)  # of practice, too
    block["is_correction"][:4] = True
    algo.pretrain(block)
    shown = torch.as_tensor(block["next_observation"]["state"][[4, 6, 8, 10, 12, 14], 0])
    torch.testing.assert_close(algo._examples[:6], shown)
    assert int(algo._seen) == 6
    algo.pretrain(block)
    torch.testing.assert_close(algo._examples[:8], shown[[2, 3, 4, 5, 4, 5, 0, 1]])


def test_practice_is_rewarded_by_the_classifier_with_success_as_the_end(make_vice, make_block, make_spec, monkeypatch):
    algo = make_vice(target_clip=None)
    block = block_of(make_block, make_spec, DONE, AWAY)
    batch = Batch.from_block(block, algo.device)
    monkeypatch.setattr(algo.target_critic, "q", lambda *_: torch.full((2, 32), 0.5))
    monkeypatch.setattr(algo, "reward", lambda features: torch.full((len(features),), 0.3))
    torch.testing.assert_close(algo.td_target(batch), batch.reward + 0.5 * batch.discount, msg="before practice")
    algo._in_practice = True
    torch.testing.assert_close(algo.td_target(batch), 0.3 + 0.7 * 0.5 * batch.discount)


def test_states_that_are_hardly_likely_are_worth_nothing(make_vice, monkeypatch):
    algo = make_vice(reward_from=0.4)
    monkeypatch.setattr(algo, "chance", lambda features: torch.tensor([0.0, 0.3, 0.4, 0.7, 1.0]))
    torch.testing.assert_close(algo.reward(torch.zeros(5, 3)), torch.tensor([0.0, 0.0, 0.0, 0.5, 1.0]))


def test_values_of_practice_without_success_do_not_add_up_to_success(make_vice, make_block, make_spec):
    algo = make_vice(classifier_lr=1e-2, critic_lr=1e-2, tau=0.2)
    for seed in range(150):
        block = block_of(make_block, make_spec, DONE, AWAY, seed)
        for part in ("observation", "next_observation"):  # it stays away, for ever
            block[part]["state"][16:] = block["next_observation"]["state"][16:]
        block["discount"][:] = 0.97
        metrics = algo.update(block)
    away = {"state": torch.tensor(np.array([[AWAY]], np.float32))}
    value = float(algo.estimate(away, algo.policy.mode(away).detach()))
    assert float(metrics["classifier_chance_practice"]) > 0.01, "the classifier is not certain of any state"
    assert value < 0.2


def test_the_recorded_reward_of_practice_is_not_read(make_vice, make_block, make_spec):
    found = []
    for reward in (0.0, 1.0):
        algo, block = make_vice(), block_of(make_block, make_spec, DONE, AWAY)
        block["reward"][16:] = reward
        algo.update(block)
        found.append(algo.state_tensors())
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


@pytest.mark.parametrize("change", [{"mixup": 0.0}, {"label_smoothing": 0.0}])
def test_mixing_and_smoothing_change_the_loss(make_vice, change):
    losses = []
    for settings in ({}, change):
        algo = make_vice(**settings)
        states = torch.randn((64, 3), generator=torch.Generator().manual_seed(1))
        label = (torch.arange(64) < 32).float()
        losses.append(float(algo.classifier_loss(states, label, torch.ones(64))[0].detach()))
    assert abs(losses[0] - losses[1]) > 1e-3


def test_the_penalty_is_the_squared_distance_of_the_gradients_norm_from_one(make_vice):
    algo = make_vice(mixup=0.0)
    states = torch.randn((8, 3), generator=torch.Generator().manual_seed(1))
    weight = torch.tensor([1.0] * 6 + [0.0] * 2)
    _, penalty = algo.classifier_loss(states, torch.ones(8), weight)
    with torch.no_grad():
        small = 1e-3
        steps = torch.eye(3) * small
        slope = torch.stack([(algo._logit(states + one) - algo._logit(states - one)) / (2 * small) for one in steps])
    expected = (slope.norm(dim=0) - 1.0).square()[:6].mean()
    torch.testing.assert_close(penalty, expected, rtol=1e-2, atol=1e-3)


def test_the_penalty_makes_the_classifier_smoother(make_vice, make_block, make_spec):
    slopes = []
    for weight in (0.0, 10.0):
        algo = make_vice(gradient_penalty=weight, classifier_lr=3e-2, mixup=0.0, label_smoothing=0.0)
        for seed in range(40):
            metrics = algo.update(block_of(make_block, make_spec, DONE, AWAY, seed))
        slopes.append(float(metrics["classifier_penalty"]))
    assert slopes[1] < 0.5 * slopes[0]


@pytest.mark.parametrize("override", ["algo.n_step=3", "algo.mixup=1.5", "algo.examples=0", "algo.reward_from=1"])
def test_impossible_settings_are_refused(override):
    with pytest.raises(ConfigError, match=override.partition(".")[2].partition("=")[0]):
        find_algorithm(compose(["algo=vice", override])["algo"])
