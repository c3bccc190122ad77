"""A picture of residuals: an arrow at each corner, enlarged, over an empty picture of the camera's size."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from steadyhand.robot_envs.frames import Array

__all__ = ["residual_picture"]

PAPER, GRID, INK, TEXT = (250, 250, 248), (222, 222, 218), (196, 60, 50), (40, 40, 40)
ARROW_SHARE = 0.05  # of the picture's width: the length of the arrow of the 95th percentile
FOOT_PX = 22


def residual_picture(width: int, height: int, pixels: Array, residuals_px: Array) -> bytes:
    """Return a PNG file of a picture's size with a line of text below.

    Args:
        width: Width of the camera's picture [px].
        height: Height of the camera's picture [px].
        pixels: Places of the corners, column and row [px]. Shape (m, 2), m >= 1.
        residuals_px: Found place minus predicted place of each [px]. Shape (m, 2).
    """
    image = Image.new("RGB", (width, height + FOOT_PX), PAPER)
    draw = ImageDraw.Draw(image)
    for part in (1, 2):
        draw.line([(width * part // 3, 0), (width * part // 3, height)], fill=GRID)
        draw.line([(0, height * part // 3), (width, height * part // 3)], fill=GRID)
    lengths = np.linalg.norm(residuals_px, axis=1)
    usual = max(float(np.percentile(lengths, 95)), 1e-9)
    scale = ARROW_SHARE * width / usual
    for start, end in zip(pixels, pixels + scale * residuals_px, strict=True):
        draw.line([tuple(start), tuple(end)], fill=INK)
        draw.ellipse([*(start - 1.0), *(start + 1.0)], fill=INK)
    rms = float(np.sqrt(np.mean(lengths**2)))
    draw.text(
        (4, height + 5),
        f"{len(pixels)} corners, rms {rms:.3f} px, largest {lengths.max():.3f} px, enlarged {scale:.0f} times",
        fill=TEXT,
    )
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
