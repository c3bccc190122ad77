import pytest

from steadyhand.policies import InputSpec, PolicySpec


@pytest.fixture
def make_spec():
    """A small specification: a vector, and a frame when an encoder is asked for."""

    def make(**changes):
        inputs = (InputSpec("state", (3,), "float32"),)
        if changes.get("encoder", "none") != "none":
            inputs += (InputSpec("wrist", (32, 40, 3), "uint8"),)
        values = {
            "inputs": inputs,
            "obs_horizon": 2,
            "action_size": 2,
            "hidden": (16, 16),
            "layer_norm": False,
            "activation": "relu",
            "encoder": "none",
            "latent_size": 8,
            "log_std_min": -20.0,
            "log_std_max": 2.0,
            "log_std_start": None,
            "normaliser": {},
            "encoder_hash": "",
        }
        return PolicySpec(**(values | changes))

    return make
