"""Encoders of camera frames, each a file of its own, chosen by the name in a `PolicySpec`.

A trained encoder turns frames into features by itself. A frozen one is a `Backbone`, which all cameras share, and
learned spatial embeddings of its maps, which are separate for each camera.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from steadyhand.policies.encoders.backbone import Backbone, EncoderError
from steadyhand.policies.encoders.efficientnet_lite0 import EfficientNetLite0
from steadyhand.policies.encoders.embeddings import SpatialEmbeddings
from steadyhand.policies.encoders.keypoints import Keypoints
from steadyhand.policies.encoders.resnet10 import Resnet10
from steadyhand.policies.encoders.small_cnn import SmallCnn
from steadyhand.policies.encoders.timm_model import TimmModel

__all__ = ["ENCODERS", "Backbone", "EncoderError", "is_encoder", "is_frozen", "load_backbone", "make_encoder"]

TRAINED: dict[str, type[SmallCnn] | type[Keypoints]] = {"small_cnn": SmallCnn, "keypoints": Keypoints}
FROM_FILE: dict[str, Callable[[str | None], Backbone]] = {"resnet10": Resnet10}
FROM_PACKAGE: dict[str, Callable[[], Backbone]] = {"efficientnet_lite0": EfficientNetLite0}
TIMM = "timm:"  # and a name of timm's
ENCODERS = ("none", *TRAINED, *FROM_FILE, *FROM_PACKAGE, f"{TIMM}<name>")


def is_encoder(name: str) -> bool:
    """Return whether there is an encoder of this name."""
    return name in ENCODERS or name.startswith(TIMM)


def is_frozen(name: str) -> bool:
    """Return whether an encoder has a frozen part."""
    return name in FROM_FILE or name in FROM_PACKAGE or name.startswith(TIMM)


def load_backbone(name: str, weights: str | None) -> Backbone | None:
    """Load the frozen part of an encoder; None for one that has none.

    Args:
        name: Name of the encoder.
        weights: A safetensors file, for the encoders that need one.

    Raises:
        EncoderError: The file or a package is missing or holds something else, or the encoder takes no file.
    """
    if name in FROM_FILE:
        return FROM_FILE[name](weights)
    if name.startswith(TIMM):
        return TimmModel(name.removeprefix(TIMM), weights)
    if weights is not None:
        raise EncoderError(f"policy.encoder_weights: expected null with policy.encoder={name}, found {weights}")
    return FROM_PACKAGE[name]() if name in FROM_PACKAGE else None


def make_encoder(
    name: str,
    frame_shape: tuple[int, ...],
    obs_horizon: int,
    latent_size: int,
    generator: torch.Generator,
    backbone: Backbone | None,
) -> nn.Module:
    """Build the trained part of one camera's encoder; its output is (B, latent_size).

    A trained encoder reads frames (B, H, height, width, 3) uint8, a frozen one the maps (B, H * C, h, w) of `backbone`.
    """
    if backbone is None:
        return TRAINED[name](frame_shape, obs_horizon, latent_size, generator)
    depth, height, width = backbone.map_shape(frame_shape)
    return SpatialEmbeddings((obs_horizon * depth, height, width), latent_size, generator)
