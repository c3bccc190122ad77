"""A learned success classifier as the reward: 1 on success, else 0 (SERL, arXiv 2401.16013; HIL-SERL, 2410.21845).

The network is an ONNX file that onnxruntime evaluates; torch is not needed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from steadyhand.robot_envs.rewards.reward import Fields, Observation, Reward, Score
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.onnx_file import DTYPES, OnnxFileError, check_seal, open_session
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["ClassifierReward", "ClassifierRewardSettings"]

EXPECTED = "a classifier that `steadyhand classifier fit` has written"
OUTPUT = "probability"
TERM = "success_probability"


@dataclass(frozen=True)
class ClassifierRewardSettings:
    """Settings of the reward.

    Attributes:
        model: The ONNX file.
        threshold: Smallest probability at which a step counts as positive, above 0 and at most 1.
        success_steps: Number of consecutive positive steps that count as success.
        record_probability: True if records contain the probability as the term `success_probability`.
    """

    model: str
    threshold: float
    success_steps: int
    record_probability: bool

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "threshold")
        expect_within(self, 0.0, 1.0, "threshold")
        expect_at_least(self, 1, "success_steps")


class ClassifierReward(Reward):
    """Classifier reward: success needs a probability of at least the threshold in several consecutive steps.

    Args:
        settings: The file and the threshold.

    Raises:
        ConfigError: The file is missing, damaged or not a classifier.
        MissingRuntimeError: onnxruntime is not installed.
    """

    settings_type: ClassVar[type[Any]] = ClassifierRewardSettings

    def __init__(self, settings: ClassifierRewardSettings) -> None:
        self._settings = settings
        self._session = _session(settings.model)
        self._inputs = {item.name: (tuple(item.shape), DTYPES[item.type]) for item in self._session.get_inputs()}
        self._streak = 0
        self.reward_terms = (TERM,) if settings.record_probability else ()

    def check(self, fields: Fields) -> None:
        """Compare the graph's inputs with the fields.

        Raises:
            ConfigError: A field that the classifier reads is missing or differs.
        """
        for name, expected in self._inputs.items():
            if name not in fields:
                known = ", ".join(fields)
                raise ConfigError(f"reward.model: expected an observation {name}, found only {known}; {_advice()}")
            if fields[name] != expected:
                raise ConfigError(
                    f"reward.model: expected {name} as {_text(expected)}, found {_text(fields[name])}; {_advice()}"
                )

    def begin(self) -> None:
        """Forget the positive steps of the previous episode."""
        self._streak = 0

    def score(
        self, observation: Observation, state: RobotState | None, outcome: Outcome, info: Mapping[str, Any]
    ) -> Score:
        """Return 1 and success once enough consecutive steps were positive, else 0."""
        inputs = {name: np.ascontiguousarray(observation[name]) for name in self._inputs}
        probability = float(self._session.run([OUTPUT], inputs)[0])
        self._streak = self._streak + 1 if probability >= self._settings.threshold else 0
        success = self._streak >= self._settings.success_steps
        terms = {TERM: probability} if self._settings.record_probability else {}
        return Score(float(success), success, terms, probability if success else 1.0 - probability)


def _session(model: str) -> Any:
    """Open the ONNX file.

    Raises:
        ConfigError: The file is no classifier.
    """
    path = Path(model).expanduser()
    try:
        raw = path.read_bytes()
        check_seal(raw, str(path), EXPECTED)
        session = open_session(raw, str(path))
    except OSError as error:
        raise ConfigError(f"reward.model: expected {EXPECTED}, found {path}: {error.strerror}") from None
    except OnnxFileError as error:
        raise ConfigError(f"reward.model: {error}") from None
    inputs, outputs = session.get_inputs(), [item.name for item in session.get_outputs()]
    if outputs != [OUTPUT] or any(item.type not in DTYPES for item in inputs):
        raise ConfigError(f"reward.model: expected {EXPECTED}, found {path} with the output {', '.join(outputs)}")
    return session


def _text(field: tuple[tuple[int, ...], str]) -> str:
    return f"{field[1]} of shape {field[0]}"


def _advice() -> str:
    return "choose the cameras that it was trained with, or fit it anew with `steadyhand classifier fit`"
