"""Encoders whose weights both sides hold and nobody trains: the hash that names them, and how they are loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

__all__ = ["EncoderError", "encoder_hash", "freeze_encoders"]


class EncoderError(ValueError):
    """Frozen encoder weights that are absent or not the ones the specification names."""


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
