"""The kinds of fields that an observation consists of, in one table: vectors of numbers, and RGB images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["DTYPES", "IMAGE", "KINDS", "VECTOR", "Dtype", "FieldKind", "kind_of", "misfit"]

Dtype = Literal["uint8", "float32"]  # the keys of KINDS; msgspec reads the annotation
RGB = 3


@dataclass(frozen=True)
class FieldKind:
    """One kind of field.

    Attributes:
        dtype: Type of its elements; no two kinds share one.
        stored: Type of its elements in a record, with the byte order.
        dimensions: Number of axes of its shape: (n,) or (height, width, 3).
        onnx: Type of a graph's input.
        text: The kind in words, for messages.
    """

    dtype: Dtype
    stored: str
    dimensions: int
    onnx: str
    text: str


VECTOR = FieldKind("float32", "<f4", 1, "tensor(float)", "a vector (n,) float32")
IMAGE = FieldKind("uint8", "u1", 3, "tensor(uint8)", "an image (height, width, 3) uint8")
KINDS: dict[str, FieldKind] = {kind.dtype: kind for kind in (VECTOR, IMAGE)}
DTYPES = tuple(KINDS)


def kind_of(shape: Sequence[int], dtype: Any) -> FieldKind | None:
    """Return the kind of a field; None where no kind fits.

    Args:
        shape: Shape of the field.
        dtype: Name of its type, or the NumPy dtype.
    """
    kind = KINDS.get(str(dtype))
    if kind is None or len(shape) != kind.dimensions or (kind is IMAGE and shape[-1] != RGB):
        return None
    return kind


def misfit(shape: Sequence[int], dtype: Any) -> str:
    """Return one line that says why no kind fits a field."""
    line = f"expected {VECTOR.text} or {IMAGE.text}, found {tuple(shape)} {dtype}"
    if len(shape) >= IMAGE.dimensions - 1:
        line += "; make three channels of 8 bits of a grey or depth image, or give its numbers as (n,) float32"
    return line
