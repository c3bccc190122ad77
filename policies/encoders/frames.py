"""Camera frames in the layout that convolutions take."""

from __future__ import annotations

import torch
from torch import Tensor

from steadyhand.runtime.observation_kinds import IMAGE

__all__ = ["FRAME_DTYPE", "stacked"]

FRAME_DTYPE: torch.dtype = getattr(torch, IMAGE.dtype)


def stacked(frames: Tensor) -> Tensor:
    """Turn uint8 RGB frames (B, H, height, width, channels) into floats (B, H * channels, height, width) in [0, 1].

    The frames that a decision sees stand on the channel axis.
    """
    batch, horizon, height, width, channels = frames.shape
    # A permuted view is channels_last memory, the layout convolutions are fastest in; no copy is made here.
    if horizon > 1:
        frames = frames.permute(0, 2, 3, 1, 4)
    return frames.reshape(batch, height, width, horizon * channels).permute(0, 3, 1, 2).float().div_(255.0)
