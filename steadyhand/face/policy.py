"""A trained policy for a program: observation in, action out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from steadyhand.policies import PolicySpec
from steadyhand.policy_file import PolicyFileError, load_policy, runner_of
from steadyhand.runtime.logging import quoted
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["Policy"]

CHECKPOINTS = "checkpoints"  # identifies a run folder; a manifest does not, because a checkpoint also has one


class Policy:
    """A policy with weights. It keeps the newest `obs_horizon` observations of the episode.

    Attributes:
        saved: Specification and weights.
        run: The run folder that it was loaded from; None for a file.
    """

    def __init__(self, saved: SavedPolicy, run: Path | None = None, seed: int = 0, encoder_weights: str = "") -> None:
        """Build the network of a saved policy.

        Args:
            saved: Specification and weights.
            run: The run folder that it was loaded from.
            seed: Seed of sampled actions.
            encoder_weights: File of the frozen encoder's weights, if the encoder needs one.

        Raises:
            PolicyFileError: The weights do not fit the specification.
            EncoderError: The weights of the frozen encoder are missing.
        """
        self.saved, self.run = saved, run
        schema = _schema_of(saved.spec)
        self._runner = runner_of(saved, schema, seed, encoder_weights or None)
        self._begun = False

    @classmethod
    def load(cls, source: str | Path, seed: int = 0, encoder_weights: str = "") -> Policy:
        """Load the newest policy of a run folder, a policy file, or the policy of one checkpoint's folder.

        Raises:
            CheckpointError: The run has no checkpoint, or the checkpoint is damaged.
            PolicyFileError: There is no policy file at `source`.
        """
        path = Path(source).expanduser()
        if path.suffix == ".onnx":
            raise PolicyFileError(
                f"{path}: expected a run folder or a .safetensors policy, found an exported one; "
                "use `steadyhand run --policy`"
            )
        is_run = (path / CHECKPOINTS).is_dir()
        saved = newest_policy(path / CHECKPOINTS) if is_run else load_policy(path)
        return cls(saved, path if is_run else None, seed, encoder_weights)

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each field of the observation that the policy reads."""
        return {item.key: item.shape for item in self.saved.spec.inputs}

    def reset(self) -> None:
        """Forget the observations of the previous episode."""
        self._begun = False

    def act(self, observation: Mapping[str, NDArray[Any]], deterministic: bool = True) -> NDArray[np.float32]:
        """Return the action (A,) in [-1, 1], in the units of the environment that the policy was trained in.

        Args:
            observation: An observation of a `make_env` environment; fields that the policy does not read are ignored.
            deterministic: True returns the most likely action; False samples one.

        Raises:
            ValueError: A field that the policy reads is missing, or has another shape or dtype.
        """
        for item in self.saved.spec.inputs:
            found = np.asarray(observation[item.key]) if item.key in observation else None
            if found is None or (found.shape, str(found.dtype)) != (item.shape, item.dtype):
                shown = ", ".join(map(str, observation)) if found is None else f"{found.shape} {found.dtype}"
                raise ValueError(
                    f"observation {item.key}: expected {item.shape} {item.dtype}, found {quoted(shown, 200)}; "
                    "give observations of steadyhand.make_env"
                )
        if self._begun:
            self._runner.observe(observation)
        else:
            self._runner.begin(observation)
            self._begun = True
        return self._runner.act(deterministic)


def _schema_of(spec: PolicySpec) -> Schema:
    """Return the smallest schema with which the policy can act."""
    fields = [
        FieldSpec(item.key, item.shape, "uint8" if item.is_frame else "float32", 0.0, 255.0, "1", item.frame)
        for item in spec.inputs
    ]
    action = FieldSpec("action", (spec.action_size,), "float32", -1.0, 1.0, "1", "")
    return Schema(tuple(fields), action, 0, (), 1.0)
