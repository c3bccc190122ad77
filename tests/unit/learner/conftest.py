import numpy as np
import pytest
import torch

from steadyhand.learner.algos.sac import Sac, SacSettings
from steadyhand.learner.config import LearnerConfig
from steadyhand.policies import InputSpec, PolicySpec
from steadyhand.runtime.component import Component
from tests.settings_kit import shipped

# Small, and with every part of the update that can be on at once.
SMALL = {
    "batch_size": 8,
    "demo_ratio": 0.5,
    "gamma": 0.9,
    "image_shift": 2,
    "critic_hidden": (16, 16),
    "critic_layer_norm": True,
    "num_critics": 3,
    "num_bins": 51,
    "tau": 0.1,
    "policy_delay": 2,
    "actor_q": "mean",
    "actor_bc_loss": "mse",
    "critic_lr": 1e-3,
    "policy_lr": 1e-3,
    "temperature_lr": 1e-3,
}


@pytest.fixture
def make_config():
    return lambda **changes: shipped(SacSettings, "algo", "algo=sac", **(SMALL | changes))


@pytest.fixture
def make_algo(make_config):
    return lambda **changes: Component(Sac, make_config(**changes))


@pytest.fixture
def make_spec():
    def make(pixels=False, obs_horizon=1, **changes):
        inputs = (InputSpec("state", (3,), "float32"),)
        if pixels:
            inputs += (InputSpec("wrist", (32, 32, 3), "uint8"),)
        return PolicySpec(
            inputs=inputs,
            obs_horizon=obs_horizon,
            action_size=2,
            hidden=(16, 16),
            layer_norm=False,
            activation="relu",
            encoder="small_cnn" if pixels else "none",
            latent_size=8,
            log_std_min=-20.0,
            log_std_max=2.0,
            log_std_start=None,
            normaliser={},
            encoder_hash="",
            **changes,
        )

    return make


@pytest.fixture
def make_block():
    """Rows as the sampler gives them, from a seed."""

    def make(spec, rows=16, seed=0):
        rng = np.random.default_rng(seed)

        def observation():
            return {
                item.key: rng.integers(0, 256, (rows, spec.obs_horizon, *item.shape), np.uint8)
                if item.is_frame
                else rng.normal(size=(rows, spec.obs_horizon, *item.shape)).astype(np.float32)
                for item in spec.inputs
            }

        return {
            "observation": observation(),
            "action": rng.uniform(-1, 1, (rows, spec.action_size)).astype(np.float32),
            "reward": rng.uniform(0, 1, rows).astype(np.float32),
            "discount": (0.9 * (rng.uniform(size=rows) > 0.2)).astype(np.float32),
            "next_observation": observation(),
            "is_demo": np.arange(rows) % 2 == 0,
            "is_correction": np.arange(rows) % 4 == 0,
            "mc_return": rng.uniform(0, 1, rows).astype(np.float32),
            "gripper_changes": rng.integers(0, 2, (rows, len(spec.decided))).astype(np.float32),
        }

    return make


@pytest.fixture
def make_learner_config():
    values = {
        "device": "cpu",
        "convolutions": "float32",
        "prefetch": True,
        "utd_ratio": 2.0,
        "slack": 4.0,
        "start_transitions": 5,
        "pretrain_updates": 0,
        "max_updates": 10_000,
        "capacity": 1000,
        "prior_share": 0.5,
        "publish_period": 4,
        "checkpoint_period": 1000,
        "log_period": 10,
    }
    return lambda **changes: shipped(LearnerConfig, "learner", **(values | changes))


@pytest.fixture
def forget_compiled_code():
    """Let each test compile anew, and none of the others find what it has compiled."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()
