"""Export of a torch module to one sealed ONNX file with its manifest inside."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from steadyhand.runtime.onnx_file import BLANK, SEAL, sealed

__all__ = ["ExportError", "check_packages", "onnx_bytes"]

OPSET = 18  # the oldest that the exporter writes, so that old runtimes on small computers can read it
NEEDS = ("onnx", "onnxscript", "onnxruntime")


class ExportError(RuntimeError):
    """A network that cannot be exported here."""


def check_packages() -> None:
    """Refuse an export that lacks a package, before a long computation for it begins.

    Raises:
        ExportError: One is missing.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"export: expected {', '.join(NEEDS)}, found no {', '.join(missing)}; "
            f"install with: python -m pip install {' '.join(missing)}"
        )


def onnx_bytes(
    module: nn.Module,
    inputs: Sequence[Tensor],
    input_names: Sequence[str],
    output_name: str,
    metadata: Mapping[str, str],
) -> bytes:
    """Return the sealed ONNX file of a module.

    Args:
        module: Takes `inputs`, returns one tensor.
        inputs: Examples; the file takes these shapes and dtypes alone.
        input_names: One for each input.
        output_name: Name of the one output.
        metadata: Text by key, kept in the file.
    """
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs),
            input_names=list(input_names),
            output_names=[output_name],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update({SEAL: BLANK, **metadata})
    return sealed(program.model_proto.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's messages about packages that we do not use."""
    talker = logging.getLogger("torch.onnx")
    level = talker.level
    talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        talker.setLevel(level)
