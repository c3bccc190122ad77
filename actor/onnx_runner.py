"""An exported policy in the control loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.observation_window import ObservationWindow
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.policy_description import ExportedPolicyError
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.schema import Schema

__all__ = ["OnnxRunner"]


class OnnxRunner:
    """Runs an exported policy; a `Runner` whose weights never change.

    Args:
        policy: Loaded and checked.
        schema: Schema of the environment that it acts in.
        task: The resolved configuration of the environment.

    Raises:
        ExportedPolicyError: The environment is not the one that it was trained for.
    """

    def __init__(self, policy: OnnxPolicy, schema: Schema, task: Mapping[str, Any]) -> None:
        misfits = policy.description.misfits(policy.inputs, schema, task)
        if misfits:
            raise ExportedPolicyError(
                f"policy: {'; '.join(misfits)}; choose the task and the cameras that it was trained with"
            )
        self._policy = policy
        fields = [(OBSERVATION + field.name, field.shape, field.dtype) for field in policy.fields]
        self._window = ObservationWindow(fields, policy.description.obs_horizon)

    @property
    def ready(self) -> bool:
        """Return True: the weights came with the file."""
        return True

    @property
    def policy_version(self) -> int:
        """Return the version of the weights."""
        return self._policy.description.policy_version

    def begin(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Start an episode: the first observation also fills the places of those before it."""
        self._window.begin(self._renamed(observation))

    def observe(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Take in the observation after a step."""
        self._window.observe(self._renamed(observation))

    def act(self, deterministic: bool) -> NDArray[np.float32]:
        """Return the most likely action (A,) in [-1, 1] for the newest observations.

        Raises:
            ValueError: A draw was asked for; the file has no noise.
        """
        if not deterministic:
            raise ValueError("policy: expected to be asked for its most likely action; an exported one makes no draws")
        return self._policy.act(self._window.arrays)

    def _renamed(self, observation: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {OBSERVATION + field.name: observation[field.name] for field in self._policy.fields}
