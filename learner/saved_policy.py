"""The policy within a checkpoint, for an evaluation without the rest of the learner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from steadyhand.learner.checkpoint import CheckpointError, CheckpointFolder
from steadyhand.policies import PolicySpec
from steadyhand.runtime.logging import quoted

__all__ = ["SavedPolicy", "newest_policy"]

SPEC_FILE, TENSORS_FILE = "policy.json", "policy.safetensors"


@dataclass(frozen=True)
class SavedPolicy:
    """Weights in their published form, their specification, and the identity that they were trained for."""

    spec: PolicySpec
    learner_epoch: int
    policy_version: int
    tensors: dict[str, NDArray[np.float32]]
    identity: Mapping[str, Any] = field(default_factory=dict)  # run, task and robot; {} in a file of an earlier release

    def to_files(self) -> dict[str, bytes]:
        """Return the files of a checkpoint that hold the policy."""
        facts: dict[str, Any] = {"learner_epoch": self.learner_epoch, "policy_version": self.policy_version}
        facts["identity"] = dict(self.identity)
        facts_and_spec = json.dumps({**facts, "spec": self.spec.to_json()}, indent=2)
        return {SPEC_FILE: facts_and_spec.encode(), TENSORS_FILE: safetensors.numpy.save(self.tensors)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> SavedPolicy:
        """Read the policy from the files of a checkpoint.

        Raises:
            CheckpointError: The files hold no policy.
        """
        try:
            facts = json.loads(files[SPEC_FILE])
            spec = PolicySpec.from_json(facts["spec"])
            tensors = safetensors.numpy.load(files[TENSORS_FILE])
            epoch, version = int(facts["learner_epoch"]), int(facts["policy_version"])
            return cls(spec, epoch, version, tensors, facts.get("identity", {}))
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            RecursionError,
            OverflowError,
            SafetensorError,
        ) as error:
            raise CheckpointError(
                f"checkpoint: expected a policy in {SPEC_FILE} and {TENSORS_FILE}, found {quoted(str(error), 160)}; "
                "restore the checkpoint, or move it away"
            ) from None


def newest_policy(checkpoints: Path) -> SavedPolicy:
    """Return the policy of the newest checkpoint that verifies.

    Raises:
        CheckpointError: There is none.
    """
    checkpoint = CheckpointFolder(checkpoints, keep=1).newest()
    if checkpoint is None:
        raise CheckpointError(
            f"{checkpoints}: expected a checkpoint, found none; train first, or wait: a learner writes one every "
            "learner.checkpoint_period gradient steps, and when it ends"
        )
    return SavedPolicy.from_files(checkpoint.files)
