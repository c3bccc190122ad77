"""Keypoints by spatial softmax: where in the frame each learned feature is (arXiv 1504.00702, section 5.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steadyhand.policies.encoders.convolutions import KERNEL, StridedConvolutions, computing_in, initialise

__all__ = ["Keypoints"]

# The name "keypoints" in a specification stands for these values, so they are not settings.
CHANNELS = (16, 32)  # of two strided convolutions


class Keypoints(nn.Module):
    """Two strided convolutions, one map per keypoint, and the expected position under each map's softmax.

    A reaching or an inserting policy needs positions, so little has to be learnt beyond the maps: with a few thousand
    weights it clones as well as the small CNN at a quarter of the cost.

    Args:
        frame_shape: Shape (height, width, channels) of one frame [pixels].
        obs_horizon: Frames a decision sees; they are stacked on the channel axis.
        latent_size: Number of features returned, two per keypoint; even.
        generator: Source of the initial weights.
    """

    def __init__(
        self, frame_shape: tuple[int, ...], obs_horizon: int, latent_size: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.convolutions = StridedConvolutions(frame_shape, obs_horizon, CHANNELS)
        depth, height, width = self.convolutions.shape
        self.maps = nn.Conv2d(depth, latent_size // 2, KERNEL)
        initialise((*self.convolutions, self.maps), generator)
        rows = torch.linspace(-1.0, 1.0, height - KERNEL + 1)
        columns = torch.linspace(-1.0, 1.0, width - KERNEL + 1)
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).reshape(-1, 2)
        self.register_buffer("places", places, persistent=False)
        self.places: Tensor

    def forward(self, frames: Tensor) -> Tensor:
        """Encode uint8 RGB frames (B, H, height, width, channels).

        Returns:
            (B, latent_size): row and column of every keypoint, each in [-1, 1] from the top left to the bottom right.
        """
        x = self.convolutions(frames)
        with computing_in(self.convolutions.dtype, x.device):
            x = self.maps(x)
        return (torch.softmax(x.float().flatten(2), dim=-1) @ self.places).flatten(1)
