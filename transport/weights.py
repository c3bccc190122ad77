"""Weights on their way from the learner to the actor: numbered, checksummed, newest wins."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from steadyhand.runtime.logging import quoted

__all__ = ["Weights", "WeightsError", "decode", "encode", "newer"]

MAGIC = b"SHDW"
HEAD = struct.Struct("<4sqq")  # magic, learner epoch, policy version
DIGEST_BYTES = hashlib.sha256().digest_size


class WeightsError(ValueError):
    """Weights that cannot be used."""


@dataclass(frozen=True)
class Weights:
    """The trainable tensors of one policy. Versions rise within an epoch; a learner that starts anew raises the epoch.

    `tensors` maps the policy's tensor names to arrays of their own shapes, mostly float32.
    """

    learner_epoch: int
    policy_version: int
    tensors: dict[str, NDArray[Any]]


def newer(a: Weights, b: Weights | None) -> bool:
    """Return whether `a` comes after `b`."""
    return b is None or (a.learner_epoch, a.policy_version) > (b.learner_epoch, b.policy_version)


def encode(weights: Weights) -> bytes:
    """Return the bytes of one message: numbers, SHA-256 of all the rest, safetensors.

    Raises:
        WeightsError: A tensor has NaN or infinity.
    """
    _check_finite(weights.tensors)
    head = HEAD.pack(MAGIC, weights.learner_epoch, weights.policy_version)
    # safetensors stores memory as it lies: a transposed view must be laid out first.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in weights.tensors.items()}
    body = safetensors.numpy.save(tensors)
    return b"".join((head, hashlib.sha256(head + body).digest(), body))


def decode(raw: bytes) -> Weights:
    """Return the weights in `raw`.

    Raises:
        WeightsError: They are truncated, altered, or not all finite.
    """
    view, start = memoryview(raw), HEAD.size + DIGEST_BYTES  # slices of it copy nothing
    if len(raw) < start or not raw.startswith(MAGIC):
        raise WeightsError(f"weights: expected a weights message, found {len(raw)} bytes of something else")
    digest = hashlib.sha256(view[: HEAD.size])
    digest.update(view[start:])
    if digest.digest() != view[HEAD.size : start]:
        raise WeightsError(f"weights: the checksum of {len(raw)} bytes is wrong; they are ignored")
    _, learner_epoch, policy_version = HEAD.unpack_from(raw)
    try:
        tensors = safetensors.numpy.load(raw[start:])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"weights: expected safetensors, found {quoted(str(error), 160)}") from None
    _check_finite(tensors)
    return Weights(learner_epoch, policy_version, tensors)


def _check_finite(tensors: dict[str, NDArray[Any]]) -> None:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise WeightsError(f"weights: expected finite numbers, found NaN or infinity in {name}")
