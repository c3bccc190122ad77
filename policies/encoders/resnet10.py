"""The frozen ResNet-10 of SERL and HIL-SERL, from a file of its ImageNet weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.encoders.backbone import IMAGENET_MEAN, IMAGENET_STD, Backbone, read_weights
from steadyhand.policies.encoders.same_padding import SameConv2d, pad_same

__all__ = ["Resnet10"]

# The name "resnet10" in a specification stands for these values, so they are not settings.
CHANNELS = (64, 128, 256, 512)  # of the stages, one block each
GROUPS = 4  # of every GroupNorm


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = SameConv2d(inputs, outputs, 3, stride, bias=False)
        self.norm1 = nn.GroupNorm(GROUPS, outputs)
        self.conv2 = SameConv2d(outputs, outputs, 3, bias=False)
        self.norm2 = nn.GroupNorm(GROUPS, outputs)
        self.shortcut = nn.Sequential()
        if inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.GroupNorm(GROUPS, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, inputs, h, w) into (N, outputs, h / stride, w / stride)."""
        inner = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(inner)).add_(self.shortcut(x)), inplace=True)


class Resnet10(Backbone):
    """Four residual blocks with GroupNorm; a frame of 128 x 128 becomes a map of 512 x 4 x 4.

    Args:
        weights: A safetensors file with the tensors of this module by name, which are those of the published PyTorch
            conversion of SERL's weights: `embedder.0.weight`, `encoder.stages.0.conv1.weight` and so on.

    Raises:
        EncoderError: There is no such file, or it holds another network.
    """

    def __init__(self, weights: str | None) -> None:
        super().__init__(IMAGENET_MEAN, IMAGENET_STD)
        first = CHANNELS[0]
        self.embedder = nn.Sequential(nn.Conv2d(3, first, 7, 2, 3, bias=False), nn.GroupNorm(GROUPS, first))
        inputs = (first, *CHANNELS)
        self.stages = nn.ModuleList(
            Block(inputs[stage], outputs, 1 if stage == 0 else 2) for stage, outputs in enumerate(CHANNELS)
        )
        tensors = read_weights("resnet10", weights)
        self.freeze(str(weights), {name.replace("encoder.", "", 1): value for name, value in tensors.items()})

    def maps(self, images: Tensor) -> Tensor:
        """Turn scaled images (N, 3, height, width) into maps (N, 512, height / 32, width / 32)."""
        x = F.relu(self.embedder(images), inplace=True)
        x = F.max_pool2d(pad_same(x, 3, 2, -torch.inf), 3, 2)
        for stage in self.stages:
            x = stage(x)
        return x
