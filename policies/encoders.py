"""The small CNN over camera frames, and the seam for encoders whose weights are frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["EncoderError", "SmallCnn", "encoder_hash", "freeze_encoders"]

# SERL's small encoder; these numbers are what the name "small_cnn" in a specification means, so they are not settings.
CHANNELS = (32, 64, 128, 256)
EMBEDDINGS = 8  # learned spatial weightings per channel


class EncoderError(ValueError):
    """Frozen encoder weights that are absent or not the ones the specification names."""


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
        height, width, depth = frame_shape
        depth *= obs_horizon
        self.convolutions = nn.ModuleList()
        for channels in CHANNELS:
            self.convolutions.append(nn.Conv2d(depth, channels, kernel_size=3, stride=2))
            height, width, depth = (height - 3) // 2 + 1, (width - 3) // 2 + 1, channels
        self.embedding = nn.Parameter(torch.empty(depth, height * width, EMBEDDINGS))
        self.dense = nn.Linear(depth * EMBEDDINGS, latent_size)
        self.norm = nn.LayerNorm(latent_size)
        for layer in (*self.convolutions, self.dense):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.embedding, std=(height * width) ** -0.5, generator=generator)

    def forward(self, frames: Tensor) -> Tensor:
        """Encode uint8 RGB frames (B, H, height, width, channels) to (B, latent_size) in (-1, 1)."""
        batch, horizon, height, width, channels = frames.shape
        # A permuted view is channels_last memory, the layout convolutions are fastest in; no copy is made here.
        if horizon > 1:
            frames = frames.permute(0, 2, 3, 1, 4)
        x = frames.reshape(batch, height, width, horizon * channels).permute(0, 3, 1, 2).float().div_(255.0)
        for convolution in self.convolutions:
            x = F.relu(convolution(x), inplace=True)
        x = torch.einsum("bcs,cse->bce", x.flatten(2), self.embedding).flatten(1)
        return torch.tanh(self.norm(self.dense(x)))


def encoder_hash(tensors: Mapping[str, np.ndarray]) -> str:
    """The sha256 over names, shapes and values of frozen encoder weights, independent of their order."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = np.ascontiguousarray(tensors[name], dtype=np.float32)
        digest.update(f"{name}{value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def freeze_encoders(encoders: nn.Module, tensors: Mapping[str, np.ndarray] | None, expected_hash: str) -> None:
    """Load frozen weights into the encoders and stop their gradients; raises `EncoderError` if they are not ours."""
    found = "no weights" if tensors is None else encoder_hash(tensors)
    if tensors is None or found != expected_hash:
        raise EncoderError(
            f"frozen encoder: expected weights with sha256 {expected_hash}, found {found}; "
            "give actor and learner the same encoder file"
        )
    state = {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in tensors.items()}
    try:
        encoders.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise EncoderError(f"frozen encoder: the weights do not fit the encoder of the spec: {error}") from error
    encoders.requires_grad_(False)
