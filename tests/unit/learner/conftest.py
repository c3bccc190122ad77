import numpy as np
import pytest

from steadyhand.learner.algos.sac import Sac, SacSettings
from steadyhand.learner.config import LearnerConfig
from steadyhand.policies import InputSpec, PolicySpec
from steadyhand.runtime.component import Component

SETTINGS = {
    "batch_size": 8,
    "demo_ratio": 0.5,
    "n_step": 1,
    "gamma": 0.9,
    "image_shift": 2,
    "critic_hidden": (16, 16),
    "critic_layer_norm": True,
    "num_critics": 3,
    "num_min": 2,
    "critic_head": "scalar",
    "value_range": (0.0, 1.0),
    "num_bins": 51,
    "bin_sigma": 0.75,
    "zero_init_last_layer": False,
    "target_clip": None,
    "backup_entropy": False,
    "tau": 0.1,
    "policy_delay": 2,
    "actor_q": "mean",
    "init_temperature": 0.1,
    "target_entropy": None,
    "actor_bc_weight": 0.0,
    "actor_bc_loss": "mse",
    "actor_bc_q_filter": False,
    "policy_ema": 0.0,
    "critic_lr": 1e-3,
    "policy_lr": 1e-3,
    "temperature_lr": 1e-3,
}


@pytest.fixture
def make_config():
    return lambda **changes: SacSettings(**(SETTINGS | changes))


@pytest.fixture
def make_algo():
    return lambda **changes: Component(Sac, SacSettings(**(SETTINGS | changes)))


@pytest.fixture
def make_spec():
    def make(pixels=False, obs_horizon=1):
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
            "mc_return": rng.uniform(0, 1, rows).astype(np.float32),
        }

    return make


@pytest.fixture
def make_learner_config():
    values = {
        "device": "cpu",
        "threads": 1,
        "convolutions": "float32",
        "cuda_graph": True,
        "prefetch": True,
        "compile": False,
        "utd_ratio": 2.0,
        "slack": 4.0,
        "start_transitions": 5,
        "pretrain_updates": 0,
        "max_updates": 10_000,
        "capacity": 1000,
        "prior_share": 0.5,
        "normaliser_std_floor": 0.1,
        "publish_period": 4,
        "checkpoint_period": 1000,
        "log_period": 10,
        "keep_checkpoints": 3,
        "accept_other_robot": False,
        "episode_window": 20,
    }
    return lambda **changes: LearnerConfig(**(values | changes))
