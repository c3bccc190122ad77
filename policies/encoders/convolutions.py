"""The strided convolutions at the start of encoders, their precision, and the initial weights of every layer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.encoders.frames import stacked

__all__ = ["StridedConvolutions", "computing_in", "initialise"]

KERNEL, STRIDE = 3, 2


class StridedConvolutions(nn.ModuleList):
    """Convolutions of kernel 3 and stride 2, each with a ReLU.

    Args:
        frame_shape: Shape (height, width, channels) of one frame [pixels].
        obs_horizon: Frames a decision sees; they are stacked on the channel axis.
        channels: Output channels of each convolution.

    Attributes:
        shape: Shape (depth, height, width) of the output.
        dtype: Type that they compute in. Weights, gradients and the output are always float32.
    """

    def __init__(self, frame_shape: tuple[int, ...], obs_horizon: int, channels: Iterable[int]) -> None:
        super().__init__()
        height, width, depth = frame_shape
        depth *= obs_horizon
        for count in channels:
            self.append(nn.Conv2d(depth, count, KERNEL, STRIDE))
            height, width, depth = (height - KERNEL) // STRIDE + 1, (width - KERNEL) // STRIDE + 1, count
        self.shape = (depth, height, width)
        self.dtype = torch.float32

    def forward(self, frames: Tensor) -> Tensor:
        """Turn uint8 RGB frames (B, H, height, width, channels) into (B, *shape)."""
        x = stacked(frames)
        with computing_in(self.dtype, x.device):
            for convolution in self:
                x = F.relu(convolution(x), inplace=True)
        return x.float()


def computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Compute products in `dtype` and sum them in float32 while the context lasts; float32 changes nothing."""
    if dtype == torch.float32:
        return nullcontext()
    # No cache of cast weights: each is used once, and a recorded update must not hold on to one.
    return torch.autocast(device.type, dtype, cache_enabled=False)


def initialise(layers: Iterable[nn.Module], generator: torch.Generator) -> None:
    """Draw Xavier-uniform weights for every convolution and dense layer, in this order; biases are zero."""
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
