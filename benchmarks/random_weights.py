"""A ResNet-10 of random weights, only for timing, which does not depend on the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from steadyhand.policies.encoders.resnet10 import Resnet10

__all__ = ["resnet10_file"]


class _RandomResnet10(Resnet10):
    def freeze(self, source: str, tensors: Mapping[str, Tensor]) -> None:
        """Take random weights instead of those of the file."""
        generator = torch.Generator().manual_seed(0)
        own = self.named_parameters()
        super().freeze(source, {name: 0.1 * torch.randn(value.shape, generator=generator) for name, value in own})


def resnet10_file(folder: Path) -> Path:
    """Write the weights in the format of `policy.encoder_weights`, and return the file."""
    path = folder / "resnet10.safetensors"
    safetensors.torch.save_file({}, path)
    weights = {name: value.contiguous() for name, value in _RandomResnet10(str(path)).named_parameters()}
    safetensors.torch.save_file({name.replace("stages.", "encoder.stages.", 1): v for name, v in weights.items()}, path)
    return path
