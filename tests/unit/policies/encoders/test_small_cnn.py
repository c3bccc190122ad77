import pytest
import torch

from steadyhand.policies.encoders.small_cnn import SmallCnn


@pytest.mark.parametrize("horizon", [1, 3])
def test_latent_shape_and_range(horizon):
    encoder = SmallCnn((32, 40, 3), horizon, 8, torch.Generator().manual_seed(0))
    latent = encoder(torch.randint(0, 256, (5, horizon, 32, 40, 3), dtype=torch.uint8))
    assert latent.shape == (5, 8)
    assert latent.abs().max() < 1.0
