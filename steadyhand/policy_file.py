"""A policy as one self-contained file: safetensors, with the specification in the header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.learner.checkpoint import read_checkpoint
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import PolicySpec, PolicySpecError
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.transport.schema import Schema
from steadyhand.transport.weights import Weights

__all__ = ["PolicyFileError", "load_policy", "runner_of", "save_policy"]

SPEC, EPOCH, VERSION = "policy_spec", "learner_epoch", "policy_version"
IDENTITY = "identity"  # missing in files of earlier releases


class PolicyFileError(ValueError):
    """A file that holds no policy."""


def save_policy(path: Path, policy: SavedPolicy) -> None:
    """Write a policy atomically."""
    header = {SPEC: msgspec.json.encode(policy.spec.to_json()).decode()}
    header[IDENTITY] = msgspec.json.encode(dict(policy.identity)).decode()
    header |= {EPOCH: str(policy.learner_epoch), VERSION: str(policy.policy_version)}
    atomic_write_bytes(path, safetensors.numpy.save(policy.tensors, header))


def load_policy(path: Path) -> SavedPolicy:
    """Read a policy file, or the policy of a checkpoint's folder.

    Raises:
        PolicyFileError: There is no such file, or the file is no policy.
        CheckpointError: The checkpoint is damaged.
    """
    if path.is_dir():
        return SavedPolicy.from_files(read_checkpoint(path).files)
    try:
        with safe_open(path, "numpy") as file:
            header: dict[str, str] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        spec = PolicySpec.from_json(msgspec.json.decode(header[SPEC]))
        identity = msgspec.json.decode(header.get(IDENTITY, "{}"), type=dict[str, Any])
        return SavedPolicy(spec, int(header[EPOCH]), int(header[VERSION]), tensors, identity)
    except (OSError, SafetensorError, KeyError, ValueError, PolicySpecError) as error:
        raise PolicyFileError(f"{path}: expected a policy file, found {quoted(str(error), 160)}") from None


def runner_of(policy: SavedPolicy, schema: Schema, seed: int, encoder_weights: str | None) -> PolicyRunner:
    """Return a policy that is ready to act.

    Args:
        policy: Specification and weights.
        schema: Schema of the environment in which it acts.
        seed: Seed of the noise of drawn actions.
        encoder_weights: File of the frozen encoder's weights; None = the encoder needs none.

    Raises:
        SchemaError: The policy reads a field that the environment does not give.
        PolicyFileError: The weights do not fit the specification.
        EncoderError: The weights of the frozen encoder are missing.
    """
    runner = PolicyRunner(policy.spec, schema, MonotonicClock(), seed, encoder_weights)
    if not runner.offer(Weights(policy.learner_epoch, policy.policy_version, policy.tensors)):
        raise PolicyFileError(
            "policy: expected weights that fit the specification beside them, found others (see above); train again"
        )
    return runner
