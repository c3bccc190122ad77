"""A policy as one self-contained file: safetensors, with the specification in the header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from steadyhand.learner.checkpoint import read_checkpoint
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import PolicySpec, PolicySpecError
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.run_folder import atomic_write_bytes

__all__ = ["PolicyFileError", "load_policy", "save_policy"]

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
