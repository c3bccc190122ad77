"""The small CNN of SERL (arXiv 2401.16013): strided convolutions and learned spatial embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from policies.encoders.convolutions import StridedConvolutions, initialise

__all__ = ["SmallCnn"]

# SERL's small encoder; these numbers are what the name "small_cnn" in a specification means, so they are not settings.
CHANNELS = (32, 64, 128, 256)
EMBEDDINGS = 8  # learned spatial weightings per channel


class SmallCnn(nn.Module):
    """Four strided convolutions, learned spatial embeddings, a dense layer, LayerNorm and tanh.

    Args:
        frame_shape: (height, width, channels) of one frame, pixels.
        obs_horizon: frames a decision sees; they are stacked on the channel axis.
        latent_size: features returned.
        generator: source of the initial weights.
    """

    def __init__(
        self, frame_shape: tuple[int, ...], obs_horizon: int, latent_size: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.convolutions = StridedConvolutions(frame_shape, obs_horizon, CHANNELS)
        depth, height, width = self.convolutions.shape
        self.embedding = nn.Parameter(torch.empty(depth, height * width, EMBEDDINGS))
        self.dense = nn.Linear(depth * EMBEDDINGS, latent_size)
        self.norm = nn.LayerNorm(latent_size)
        initialise((*self.convolutions, self.dense), generator)
        nn.init.normal_(self.embedding, std=(height * width) ** -0.5, generator=generator)

    def forward(self, frames: Tensor) -> Tensor:
        """Encode uint8 RGB frames (B, H, height, width, channels) to (B, latent_size) in (-1, 1)."""
        x = self.convolutions(frames)
        x = torch.einsum("bcs,cse->bce", x.flatten(2), self.embedding).flatten(1)
        return torch.tanh(self.norm(self.dense(x)))
