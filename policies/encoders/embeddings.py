"""Learned spatial embeddings (SERL, arXiv 2401.16013), which turn a map of features into a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steadyhand.policies.encoders.convolutions import initialise
from steadyhand.policies.noise import Noise

__all__ = ["SpatialEmbeddings"]

# SERL's values. The names of encoders in a specification stand for them, so they are not settings.
EMBEDDINGS = 8  # learned spatial weightings per channel
DROPOUT = 0.1  # share of the embeddings that are left out while training


class SpatialEmbeddings(nn.Module):
    """Learned spatial embeddings, dropout, a dense layer, LayerNorm and tanh.

    Args:
        map_shape: Shape (C, h, w) of the map.
        latent_size: Number of features returned.
        generator: Source of the initial weights.
    """

    def __init__(self, map_shape: tuple[int, ...], latent_size: int, generator: torch.Generator) -> None:
        super().__init__()
        depth, height, width = map_shape
        self.embedding = nn.Parameter(torch.empty(depth, height * width, EMBEDDINGS))
        self.dense = nn.Linear(depth * EMBEDDINGS, latent_size)
        self.norm = nn.LayerNorm(latent_size)
        initialise((self.dense,), generator)
        nn.init.normal_(self.embedding, std=(height * width) ** -0.5, generator=generator)

    def forward(self, maps: Tensor, dropout: Noise | None = None) -> Tensor:
        """Turn maps (B, C, h, w) into (B, latent_size) in (-1, 1); `dropout` draws dropped entries, None = none."""
        # One product per channel, the batch as its last axis: five times as fast on a CPU as the batch first.
        places = maps.flatten(2).permute(1, 2, 0)
        x = torch.bmm(self.embedding.transpose(1, 2), places).permute(2, 0, 1).flatten(1)
        if dropout is not None:
            kept = dropout.uniform(x.shape).ge_(DROPOUT)
            x = x * kept.div_(1.0 - DROPOUT)
        return torch.tanh(self.norm(self.dense(x)))
