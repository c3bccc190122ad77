"""An exported policy, checked and ready to compute. It needs only onnxruntime and numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.policy_description import ACTION, ExportedPolicyError, PolicyDescription, probes
from steadyhand.runtime.observation_kinds import KINDS
from steadyhand.runtime.onnx_file import OnnxFileError, check_seal, computed, open_session
from steadyhand.transport.schema import SchemaError

__all__ = ["OnnxPolicy"]

TOLERANCE = 1e-4  # of an action in [-1, 1]; rounding differs by a millionth from one machine to another
EXPECTED = "a policy that `steadyhand export` has written"
DTYPES = {kind.onnx: kind.dtype for kind in KINDS.values()}


class OnnxPolicy:
    """The most likely action of a policy, as onnxruntime computes it on one thread.

    Args:
        raw: The file.
        where: Its name, for errors.

    Raises:
        ExportedPolicyError: It is another file, it is damaged, or its actions differ from those at its export.
        MissingRuntimeError: There is no onnxruntime.
    """

    def __init__(self, raw: bytes, where: str) -> None:
        try:
            check_seal(raw, where, EXPECTED)
            self._session = open_session(raw, where)
        except OnnxFileError as error:
            raise ExportedPolicyError(str(error)) from None
        self.inputs = tuple(item.name for item in self._session.get_inputs())
        try:
            self.description = PolicyDescription.from_metadata(self._session.get_modelmeta().custom_metadata_map)
            self.fields = self.description.fields(self.inputs)
            self._check_graph()
            self._check_probes(where)
        except (ExportedPolicyError, SchemaError) as error:
            raise ExportedPolicyError(f"{where}: {error}") from None
        except OnnxFileError as error:
            raise ExportedPolicyError(str(error)) from None
        except UnicodeDecodeError:
            raise ExportedPolicyError(f"{where}: expected {EXPECTED}, found text that is not UTF-8") from None

    @classmethod
    def load(cls, path: Path) -> OnnxPolicy:
        """Read a file that `steadyhand export` has written.

        Raises:
            ExportedPolicyError: It is another file, or damaged.
            MissingRuntimeError: There is no onnxruntime.
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise ExportedPolicyError(f"{path}: expected a policy's ONNX file, found {error.strerror}") from None
        return cls(raw, str(path))

    def act(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the action (A,) in [-1, 1].

        Args:
            observation: Arrays by the names of the inputs: (H, D) float32 in SI units, (H, height, width, 3) uint8.
        """
        action: NDArray[np.float32] = self._session.run([ACTION], observation)[0]
        return action

    def _check_graph(self) -> None:
        """Compare the graph's inputs with the schema beside it."""
        for item, field in zip(self._session.get_inputs(), self.fields, strict=True):
            expected = [self.description.obs_horizon, *field.shape], field.dtype
            found = item.shape, DTYPES.get(item.type, item.type)
            if expected != found:
                raise ExportedPolicyError(f"input {item.name}: expected {expected}, found {found}")

    def _check_probes(self, where: str) -> None:
        """Compare the actions for the probes with those computed at the export."""
        expected = self.description.probe_actions
        inputs = probes(self.fields, self.description.obs_horizon)
        found = np.array([computed(self._session, ACTION, one, where) for one in inputs], np.float64)
        if found.shape != np.shape(expected):
            raise ExportedPolicyError(f"expected probe actions {np.shape(expected)}, found {found.shape}")
        error = float(np.abs(found - np.asarray(expected)).max())
        if not (error <= TOLERANCE and np.abs(found).max() <= 1.0):
            raise ExportedPolicyError(
                f"expected the actions that were exported within {TOLERANCE:g}, found a difference of {error:g}; "
                "this onnxruntime computes something else: install the version of constraints/cpu.txt"
            )
