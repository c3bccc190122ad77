"""Frozen encoders made here: no test fetches one."""

from itertools import pairwise

import safetensors.torch
import torch
from torch import nn

from steadyhand.policies import Backbone

WIDTHS = (64, 64, 128, 256, 512)


def resnet10_tensors(seed=0):
    """Random weights by the names of the published file."""
    shapes = {"embedder.0.weight": (64, 3, 7, 7), "embedder.1.weight": (64,), "embedder.1.bias": (64,)}
    for workpieces, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        block = f"encoder.stages.{workpieces}"
        shapes |= {f"{block}.conv1.weight": (outputs, inputs, 3, 3), f"{block}.conv2.weight": (outputs, outputs, 3, 3)}
        norms = ["norm1", "norm2"]
        if inputs != outputs:
            shapes[f"{block}.shortcut.0.weight"] = (outputs, inputs, 1, 1)
            norms.append("shortcut.1")
        shapes |= {f"{block}.{norm}.{one}": (outputs,) for norm in norms for one in ("weight", "bias")}
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.1 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def resnet10_file(folder, seed=0):
    path = folder / f"resnet10-{seed}.safetensors"
    safetensors.torch.save_file(resnet10_tensors(seed), path)
    return str(path)


class TinyBackbone(Backbone):
    """One convolution, and a count of the images that went through."""

    def __init__(self, seed=0, name="convolution"):
        super().__init__((0.5,) * 3, (0.25,) * 3)
        self.images = 0
        self.convolution = nn.Conv2d(3, 4, 8, 8)
        generator = torch.Generator().manual_seed(seed)
        weights = {"weight": torch.randn((4, 3, 8, 8), generator=generator), "bias": torch.zeros(4)}
        self.freeze("here", {f"{name}.{one}": value for one, value in weights.items()})

    def maps(self, images):
        self.images += len(images)
        return self.convolution(images)
