"""Bad but finite weights are held back before an actor sees them; good ones are not."""

import logging

import numpy as np
import pytest
import torch

from steadyhand.learner.admission import Admission
from steadyhand.learner.algos.residual import Residual, ResidualSettings
from steadyhand.policies import InputSpec, Policy, PolicySpec
from tests.settings_kit import shipped

ROWS = 64


def task_block(spec, number):
    """Rows of a task: the action has to undo the state, and an action that does is rewarded."""
    rng = np.random.default_rng(number)
    state = rng.uniform(-1.0, 1.0, (ROWS, 1, 3)).astype(np.float32)
    right = -state[:, 0, :2]
    is_demo = np.arange(ROWS) % 2 == 0
    noise = rng.uniform(-0.8, 0.8, right.shape).astype(np.float32)
    action = np.clip(np.where(is_demo[:, None], right, right + noise), -1.0, 1.0)
    reward = np.exp(-4.0 * np.square(action - right).sum(-1)).astype(np.float32)
    return {
        "observation": {"state": state},
        "action": action,
        "reward": reward,
        "discount": np.zeros(ROWS, np.float32),
        "next_observation": {"state": state},
        "is_demo": is_demo,
        "is_correction": np.zeros(ROWS, np.bool_),
        "mc_return": np.zeros(ROWS, np.float32),
        "gripper_changes": np.zeros((ROWS, 0), np.float32),
    }


@pytest.fixture(scope="module")
def trained():
    """A trained algorithm, and how many of the weights of its last 60 blocks were admitted."""
    inputs = (InputSpec("state", (3,), "float32"),)
    spec = PolicySpec(
        inputs=inputs, obs_horizon=1, action_size=2, hidden=(32, 32), layer_norm=False, activation="relu",
        encoder="none", latent_size=8, log_std_min=-5.0, log_std_max=1.0, log_std_start=None, normaliser={},
        encoder_hash="",
    )  # fmt: skip
    changes = {"batch_size": ROWS // 2, "critic_hidden": (32, 32), "warm_updates": 20, "policy_lr": 1e-3}
    settings = shipped(ResidualSettings, "algo", "algo=residual", **changes)
    algo = Residual(settings, Policy(settings.adapt(spec), 0), 0)
    for number in range(300):
        algo.pretrain(task_block(spec, number))
    admission, admitted = Admission(algo), 0
    for number in range(300, 900):
        block = task_block(spec, number)
        algo.update(block)
        if number % 10 == 0:
            admitted += admission.admit(block)
    return algo, admission, admitted, spec


def damage(algo, kind, generator):
    """Change the published weights in place so that they stay finite."""
    other = Policy(algo.policy.spec, int(torch.randint(1_000, (), generator=generator)))
    strange = dict(other.named_parameters())
    for name, value in algo.published().items():
        if kind == "another network":
            value.copy_(strange[name].detach())
        elif kind == "noise":
            size = value.std() if value.numel() > 1 else value.abs()
            value.add_(2.0 * size * torch.randn(value.shape, generator=generator))
        elif kind == "turned round":
            value.neg_()
        elif kind == "mixed up":
            value.copy_(value.flatten()[torch.randperm(value.numel(), generator=generator)].view_as(value))
        elif kind == "too large" and name.startswith("trunk"):
            value.mul_(10.0)


KINDS = ("another network", "noise", "turned round", "mixed up", "too large")


def test_every_good_step_is_admitted_and_of_200_bad_ones_99_percent_are_not(trained):
    algo, admission, admitted, spec = trained
    assert admitted >= 59
    generator = torch.Generator().manual_seed(0)
    good = {name: value.clone() for name, value in algo.published().items()}
    refused = 0
    for number in range(200):
        damage(algo, KINDS[number % len(KINDS)], generator)
        refused += not admission.admit(task_block(spec, 10_000 + number))
        for name, value in algo.published().items():
            value.copy_(good[name])
    assert refused >= 198
    assert admission.admit(task_block(spec, 20_000)), "the good ones are admitted at once"


def test_it_is_told_once_and_again_when_it_ends(trained, caplog):
    algo, admission, _, spec = trained
    good = {name: value.clone() for name, value in algo.published().items()}
    with caplog.at_level(logging.WARNING):
        for value in algo.published().values():
            value.neg_()
        for number in range(3):
            assert not admission.admit(task_block(spec, number))
        for name, value in algo.published().items():
            value.copy_(good[name])
        assert admission.admit(task_block(spec, 3))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "held back" in lines[0]
    assert "admitted again" in lines[1]
