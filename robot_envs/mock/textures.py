"""Textures of the mock's scene: pictures that MuJoCo draws on a surface, passed to it as files in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Texture", "texture_files", "textures_xml"]


@dataclass(frozen=True)
class Texture:
    """One picture, and the name of its material.

    Attributes:
        name: Name of the texture and of its material.
        pixels: Grey or RGB. Shape (height, width) or (height, width, 3).
    """

    name: str
    pixels: NDArray[np.uint8]


def textures_xml(textures: Iterable[Texture]) -> str:
    """Return the MJCF of the textures and their materials; "" without any."""
    inner = "".join(
        f'<texture name="{texture.name}" type="2d" file="{texture.name}.png"/>'
        f'<material name="{texture.name}" texture="{texture.name}" specular="0" shininess="0" reflectance="0"/>'
        for texture in textures
    )
    return f"<asset>{inner}</asset>" if inner else ""


def texture_files(textures: Iterable[Texture]) -> dict[str, bytes]:
    """Return the files that the MJCF of the textures names, as PNG."""
    files = {}
    for texture in textures:
        buffer = io.BytesIO()
        Image.fromarray(texture.pixels).convert("RGB").save(buffer, "png")
        files[f"{texture.name}.png"] = buffer.getvalue()
    return files
