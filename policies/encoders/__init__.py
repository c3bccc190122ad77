"""Encoders of camera frames, each a file of its own, chosen by the name in a `PolicySpec`."""

from __future__ import annotations

import torch
from torch import nn

from policies.encoders.frozen import EncoderError, encoder_hash, freeze_encoders
from policies.encoders.keypoints import Keypoints
from policies.encoders.small_cnn import SmallCnn

__all__ = ["ENCODERS", "EncoderError", "encoder_hash", "freeze_encoders", "make_encoder"]

ENCODERS: dict[str, type[SmallCnn] | type[Keypoints]] = {"small_cnn": SmallCnn, "keypoints": Keypoints}


def make_encoder(
    name: str, frame_shape: tuple[int, ...], obs_horizon: int, latent_size: int, generator: torch.Generator
) -> nn.Module:
    """Build the encoder of one camera; it turns frames (B, H, height, width, 3) uint8 into (B, latent_size)."""
    return ENCODERS[name](frame_shape, obs_horizon, latent_size, generator)
