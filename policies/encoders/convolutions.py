"""The strided convolutions that encoders begin with, and the initial weights of every layer that is learnt."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from policies.encoders.frames import stacked

__all__ = ["StridedConvolutions", "initialise"]

KERNEL, STRIDE = 3, 2


class StridedConvolutions(nn.ModuleList):
    """Convolutions of kernel 3 and stride 2, each with a ReLU.

    Args:
        frame_shape: (height, width, channels) of one frame, pixels.
        obs_horizon: frames a decision sees; they are stacked on the channel axis.
        channels: of each convolution.

    Attributes:
        shape: (depth, height, width) of what comes out.
    """

    def __init__(self, frame_shape: tuple[int, ...], obs_horizon: int, channels: Iterable[int]) -> None:
        super().__init__()
        height, width, depth = frame_shape
        depth *= obs_horizon
        for count in channels:
            self.append(nn.Conv2d(depth, count, KERNEL, STRIDE))
            height, width, depth = (height - KERNEL) // STRIDE + 1, (width - KERNEL) // STRIDE + 1, count
        self.shape = (depth, height, width)

    def forward(self, frames: Tensor) -> Tensor:
        """Turn uint8 RGB frames (B, H, height, width, channels) into (B, *shape)."""
        x = stacked(frames)
        for convolution in self:
            x = F.relu(convolution(x), inplace=True)
        return x


def initialise(layers: Iterable[nn.Module], generator: torch.Generator) -> None:
    """Draw Xavier-uniform weights for every convolution and dense layer, in this order; biases are zero."""
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
