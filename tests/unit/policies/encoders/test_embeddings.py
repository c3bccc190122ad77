import pytest
import torch

from steadyhand.policies.encoders.embeddings import DROPOUT, SpatialEmbeddings
from steadyhand.policies.noise import Noise

MAPS = torch.randn((64, 6, 3, 4), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def encoder():
    return SpatialEmbeddings((6, 3, 4), 16, torch.Generator().manual_seed(0))


def test_every_channel_is_weighed_over_its_places_by_each_embedding(encoder):
    places = MAPS.flatten(2)
    embedded = torch.stack([places[:, channel] @ encoder.embedding[channel] for channel in range(6)], dim=1)
    expected = torch.tanh(encoder.norm(encoder.dense(embedded.flatten(1))))
    torch.testing.assert_close(encoder(MAPS), expected)
    assert encoder(MAPS).shape == (64, 16)
    assert encoder(MAPS).abs().max() < 1.0


def test_dropout_leaves_out_its_share_and_keeps_the_mean(encoder, monkeypatch):
    seen = []
    monkeypatch.setattr(encoder.dense, "forward", lambda x: seen.append(x) or torch.zeros(len(x), 16))
    encoder(MAPS)
    encoder(MAPS, Noise(2))
    whole, dropped = seen
    kept = dropped != 0.0
    torch.testing.assert_close(dropped[kept], whole[kept] / (1.0 - DROPOUT))
    assert abs((~kept).float().mean() - DROPOUT) < 0.02
