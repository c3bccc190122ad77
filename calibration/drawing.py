"""PNG pictures beside calibration files: a curve with its best point, and a rectangle in a picture."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.frames import Array

__all__ = ["curves_png", "rectangle_png"]

SIZE = (640, 320)  # pixels
EDGE = 40
COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14))
MARK = (255, 64, 0)
MIN_SIDE = 256  # a smaller picture is enlarged, so that the rectangle is visible


def curves_png(curves: dict[str, tuple[Array, Array]], marks: dict[str, float], unit: str) -> bytes:
    """Return curves in one frame, each with a vertical line at its mark.

    Args:
        curves: Abscissae and ordinates in [0, 1] of each curve, by name. Shapes (n,).
        marks: Abscissa of each curve's mark.
        unit: Unit of the abscissae.
    """
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    every = np.concatenate([x for x, _ in curves.values()])
    low, high = float(every.min()), float(every.max())
    width, height = SIZE[0] - 2 * EDGE, SIZE[1] - 2 * EDGE

    def place(x: float, y: float) -> tuple[float, float]:
        return EDGE + width * (x - low) / (high - low), EDGE + height * (1.0 - y)

    draw.rectangle((EDGE, EDGE, EDGE + width, EDGE + height), outline="grey")
    for number, (name, (x, y)) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        draw.line([place(float(a), float(b)) for a, b in zip(x, np.clip(y, 0.0, 1.0), strict=True)], colour, 2)
        draw.line([place(marks[name], 0.0), place(marks[name], 1.0)], colour, 1)
        draw.text((EDGE + 8, EDGE + 8 + 14 * number), f"{name}: {marks[name]:.4f} {unit}", colour)
    draw.text((EDGE, SIZE[1] - EDGE + 8), f"{low:g}", "black")
    draw.text((SIZE[0] - EDGE - 24, SIZE[1] - EDGE + 8), f"{high:g} {unit}", "black")
    return _png(image)


def rectangle_png(picture: NDArray[np.uint8], crop: Crop) -> bytes:
    """Return a picture (height, width, 3) with the rectangle of a crop."""
    image = Image.fromarray(picture)
    factor = max(1, -(-MIN_SIDE // min(image.size)))
    image = image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)
    left, top = crop.left * image.width, crop.top * image.height
    box = (left, top, left + crop.width * image.width - 1, top + crop.height * image.height - 1)
    ImageDraw.Draw(image).rectangle(box, outline=MARK, width=2)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
