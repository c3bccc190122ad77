"""The small CNN of SERL (arXiv 2401.16013): strided convolutions and learned spatial embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steadyhand.policies.encoders.convolutions import StridedConvolutions, initialise
from steadyhand.policies.encoders.embeddings import SpatialEmbeddings

__all__ = ["SmallCnn"]

# SERL's small encoder. The name "small_cnn" in a specification stands for these numbers, so they are not settings.
CHANNELS = (32, 64, 128, 256)


class SmallCnn(nn.Module):
    """Four strided convolutions and learned spatial embeddings of their output.

    Args:
        frame_shape: Shape (height, width, channels) of one frame [pixels].
        obs_horizon: Frames a decision sees; they are stacked on the channel axis.
        latent_size: Number of features returned.
        generator: Source of the initial weights.
    """

    def __init__(
        self, frame_shape: tuple[int, ...], obs_horizon: int, latent_size: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.convolutions = StridedConvolutions(frame_shape, obs_horizon, CHANNELS)
        initialise(self.convolutions, generator)
        self.embeddings = SpatialEmbeddings(self.convolutions.shape, latent_size, generator)

    def forward(self, frames: Tensor) -> Tensor:
        """Encode uint8 RGB frames (B, H, height, width, channels) to (B, latent_size) in (-1, 1)."""
        features: Tensor = self.embeddings(self.convolutions(frames))
        return features
