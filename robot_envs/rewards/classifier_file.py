"""The ONNX file of a success classifier, opened for one observation at a time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.rewards.reward import Fields, Observation
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.classifier_manifest import OUTPUT, ManifestError, ReadField, read_classifier_manifest
from steadyhand.runtime.onnx_file import OnnxFileError, check_seal, computed, open_session

__all__ = ["ClassifierFile"]

EXPECTED = "a classifier that `steadyhand reward train` has written"
ADVICE = "choose the cameras that it was trained with, or train it anew with `steadyhand reward train`"


class ClassifierFile:
    """An opened classifier.

    Args:
        model: The ONNX file.
        where: The setting that names it, for errors.

    Attributes:
        manifest: Its facts.
        digest: SHA-256 of the file, in hex.

    Raises:
        ConfigError: The file is missing, damaged or not a classifier.
        MissingRuntimeError: onnxruntime is not installed.
    """

    def __init__(self, model: str, where: str = "reward.model") -> None:
        path, self._where = Path(model).expanduser(), where
        try:
            raw = path.read_bytes()
            check_seal(raw, str(path), EXPECTED)
            self._session: Any = open_session(raw, str(path))
            self.manifest = read_classifier_manifest(self._session, str(path))
            nothing = {field.name: np.zeros(field.shape, field.dtype) for field in self.manifest.fields}
            computed(self._session, OUTPUT, nothing, str(path))
        except OSError as error:
            raise ConfigError(f"{where}: expected {EXPECTED}, found {path}: {error.strerror}") from None
        except OnnxFileError as error:
            raise ConfigError(f"{where}: {error}") from None
        except ManifestError as error:
            raise ConfigError(f"{where}: expected {EXPECTED}, {error}") from None
        self.digest = hashlib.sha256(raw).hexdigest()

    def check(self, fields: Fields) -> None:
        """Compare the inputs with the fields of an environment, or of a log.

        Raises:
            ConfigError: A field that the classifier reads is missing, or it is of another size, camera view or crop.
        """
        for wanted in self.manifest.fields:
            if wanted.name not in fields:
                known = ", ".join(fields)
                raise ConfigError(f"{self._where}: expected an observation {wanted.name}, found only {known}; {ADVICE}")
            found = ReadField(wanted.name, *fields[wanted.name])
            if found != wanted:
                has_kind = (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
                expected, seen = (_frame(one) if has_kind else _kind(one) for one in (wanted, found))
                raise ConfigError(f"{self._where}: expected {wanted.name} {expected}, found {seen}; {ADVICE}")

    def probabilities(self, observation: Observation) -> NDArray[np.float64]:
        """Return the probability of each stage, (stages,), of one observation."""
        inputs = {field.name: np.ascontiguousarray(observation[field.name]) for field in self.manifest.fields}
        found = self._session.run([OUTPUT], inputs)[0]
        return np.asarray(found, np.float64).reshape(len(self.manifest.stages))


def _kind(field: ReadField) -> str:
    return f"as {field.dtype} of shape {tuple(field.shape)}"


def _frame(field: ReadField) -> str:
    return f"seen from {field.frame or 'an unknown frame'}" if len(field.shape) == 3 else f"in the frame {field.frame}"
