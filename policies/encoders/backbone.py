"""The base of frozen networks from frames to maps of features, with the hash that names their weights."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "Backbone", "EncoderError", "read_weights"]

# Of the RGB values of ImageNet, which most published weights were trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


CPU_IMAGES = 8  # per pass on a CPU: more do not fit its caches and take up to twice as long


class EncoderError(ValueError):
    """Frozen encoder weights that are absent or not the ones the specification names."""


class Backbone(nn.Module, ABC):
    """A frozen network that is never sent: learner and actor each read the same weights from disk.

    One process holds one backbone, for all its cameras and all copies of the policy.

    Args:
        mean: Mean of each colour, 0..1; with `std` the scaling of frames that the weights were trained with.
        std: Standard deviation of each colour.
    """

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", 255.0 * torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("scale", 1.0 / (255.0 * torch.tensor(std).view(-1, 1, 1)))
        self.mean: Tensor
        self.scale: Tensor
        self.hash = ""

    @abstractmethod
    def maps(self, images: Tensor) -> Tensor:
        """Turn scaled images (N, 3, height, width) into maps (N, C, h, w)."""

    def forward(self, frames: Tensor) -> Tensor:
        """Turn uint8 RGB frames (B, H, height, width, 3) into maps (B, H, C, h, w), without a gradient."""
        # A permuted view is channels_last memory, the layout convolutions are fastest in.
        images = frames.flatten(0, 1).permute(0, 3, 1, 2)
        parts = torch.split(images, CPU_IMAGES) if images.device.type == "cpu" else (images,)
        with torch.no_grad():
            maps = [self.maps(part.float().sub_(self.mean).mul_(self.scale)) for part in parts]
            return torch.cat(maps).reshape(*frames.shape[:2], *maps[0].shape[1:])

    def map_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (C, h, w) of the map of one frame (height, width, 3)."""
        device = self.mean.device
        return tuple(self(torch.zeros((1, 1, *frame_shape), dtype=torch.uint8, device=device)).shape[2:])

    def freeze(self, source: str, tensors: Mapping[str, Tensor]) -> None:
        """Take the weights, by the names of this module's own, and hash them.

        Raises:
            EncoderError: A tensor is missing, left over or of another shape.
        """
        own = {name for name, _ in self.named_parameters()}
        differing = sorted(own ^ set(tensors)) or [
            name for name, value in self.named_parameters() if value.shape != tensors[name].shape
        ]
        if differing:
            raise EncoderError(f"{source}: expected the weights of {type(self).__name__}, {differing[:3]} do not fit")
        self.load_state_dict(dict(tensors), strict=False)
        self.seal()

    def seal(self) -> None:
        """Stop the gradients and hash the weights, in the memory layout that is fastest for the CPU's convolutions."""
        self.requires_grad_(False).eval()
        for value in self.parameters():
            if value.ndim == 4:
                value.data = value.data.contiguous(memory_format=torch.channels_last)
        digest = hashlib.sha256(type(self).__name__.encode())
        for name, value in sorted(self.state_dict().items()):
            digest.update(f"{name}{tuple(value.shape)}".encode())
            digest.update(value.contiguous().numpy().tobytes())
        self.hash = digest.hexdigest()


def read_weights(encoder: str, path: str | None) -> dict[str, Tensor]:
    """Read the safetensors file that the user points to.

    Raises:
        EncoderError: There is no file, or it is no safetensors file.
    """
    if path is None:
        raise EncoderError(f"policy.encoder={encoder} needs a safetensors file; give policy.encoder_weights=FILE")
    file = Path(path).expanduser()
    try:
        return safetensors.torch.load_file(file)
    except (OSError, SafetensorError) as error:
        raise EncoderError(
            f"policy.encoder_weights={file}: expected a safetensors file for {encoder}, found {str(error)[:160]}"
        ) from None
