"""Sealed ONNX files: a network with its manifest in one file, which runs on one thread without torch.

The file carries its own digest in its metadata. A damaged file, or one of another origin, is refused before it is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from steadyhand.runtime.logging import quoted

__all__ = [
    "BLANK",
    "DTYPES",
    "SEAL",
    "MissingRuntimeError",
    "OnnxFileError",
    "check_seal",
    "computed",
    "open_session",
    "sealed",
]

SEAL = "steadyhand.sha256"  # the metadata's key of the file's own digest
BLANK = "0" * 64  # in the digest's place while the file is hashed
# The key, the field number and the length (64) before the digest are the same bytes in every such file.
_SLOT = re.compile(re.escape(SEAL.encode()) + rb"\x12\x40([0-9a-f]{64})")
DTYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}  # numpy's names of onnxruntime's types


class OnnxFileError(ValueError):
    """A file without this package's seal, a damaged file, or one that cannot be loaded."""


class MissingRuntimeError(RuntimeError):
    """onnxruntime is not installed."""


def sealed(raw: bytes) -> bytes:
    """Return the file with its digest written in place of the blank one."""
    seal = _SLOT.search(raw)
    assert seal is not None, "the metadata has no blank digest"
    return raw[: seal.start(1)] + hashlib.sha256(raw).hexdigest().encode() + raw[seal.end(1) :]


def check_seal(raw: bytes, where: str, expected: str) -> None:
    """Refuse a file of another origin, or a damaged one, before it is read as a graph.

    Args:
        raw: The file.
        where: Its name, for errors.
        expected: The kind of file and its writer, such as "a policy that `steadyhand export` has written".

    Raises:
        OnnxFileError: The seal is missing or does not fit.
    """
    seal = _SLOT.search(raw)
    if seal is None:
        raise OnnxFileError(f"{where}: expected {expected}, found {len(raw)} bytes of something else")
    blank = raw[: seal.start(1)] + BLANK.encode() + raw[seal.end(1) :]
    if hashlib.sha256(blank).hexdigest().encode() != seal[1]:
        raise OnnxFileError(f"{where}: expected the file as it was exported, found a damaged one; copy it again")


def open_session(raw: bytes, where: str) -> Any:
    """Return an `onnxruntime.InferenceSession` that computes on one thread of the CPU.

    Args:
        raw: The file, whose seal was checked.
        where: Its name, for errors.

    Raises:
        OnnxFileError: The file cannot be loaded by onnxruntime.
        MissingRuntimeError: The package onnxruntime is not installed.
    """
    try:
        import onnxruntime  # an extra: training does without it
    except ImportError:
        raise MissingRuntimeError(
            "onnxruntime: expected to be installed, found none; install it with: python -m pip install onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no class of their own in common
        raise OnnxFileError(f"{where}: onnxruntime cannot load it ({quoted(str(error), 160)})") from None


def computed(session: Any, output: str, inputs: Mapping[str, NDArray[Any]], where: str) -> NDArray[Any]:
    """Return an output of a session that has just been opened: a damaged graph can be loaded and still not compute.

    Args:
        session: The session.
        output: Name of the output.
        inputs: Arrays by the names of the inputs.
        where: Name of the file, for errors.

    Raises:
        OnnxFileError: onnxruntime cannot compute it.
    """
    try:
        found: NDArray[Any] = session.run([output], inputs)[0]
    except Exception as error:  # its exceptions have no class of their own in common
        raise OnnxFileError(f"{where}: onnxruntime cannot compute it ({quoted(str(error), 160)})") from None
    return found
