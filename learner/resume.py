"""The progress of training, and its restoration from a checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import safetensors.numpy
import safetensors.torch

from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.checkpoint import Checkpoint, CheckpointError
from steadyhand.learner.journal import Journal
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger, quoted
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.transport.log_reader import LogReader

__all__ = [
    "REPLAY_FILE",
    "STATE_FILE",
    "Counters",
    "EpochError",
    "Kind",
    "check_facts",
    "counters_of",
    "next_epoch",
    "open_journal",
    "open_store",
    "restore",
]

STATE_FILE, REPLAY_FILE = "learner.safetensors", "replay.safetensors"
Kind = Literal["pretrain", "update"]  # of a gradient step

logger = get_logger("learner.resume")


class EpochError(ValueError):
    """A file that does not tell how often the learner has been started."""


@dataclass(frozen=True)
class Counters:
    """The progress of training."""

    pretrained: int = 0  # gradient steps on the demonstrations
    updates: int = 0  # gradient updates online, those that utd_ratio counts
    policy_version: int = 0  # published policies

    def after(self, kind: Kind, steps: int) -> Counters:
        """Return the counters after a number of further steps of this kind."""
        field = "pretrained" if kind == "pretrain" else "updates"
        return replace(self, **{field: getattr(self, field) + steps})

    @property
    def step(self) -> int:
        """Gradient steps of both kinds; numbers blocks, log rows and checkpoints."""
        return self.pretrained + self.updates


def counters_of(checkpoint: Checkpoint | None) -> Counters:
    """Return the counters of a checkpoint; zero without one."""
    return Counters(**checkpoint.facts["counters"]) if checkpoint else Counters()


def restore(algo: Algorithm[Any], checkpoint: Checkpoint) -> None:
    """Restore the algorithm's state at a checkpoint."""
    algo.load_state_tensors(safetensors.torch.load(checkpoint.files[STATE_FILE]))


def open_store(
    capacity: int,
    checkpoint: Checkpoint | None,
    readers: Iterable[LogReader],
    action_gains: Mapping[str, tuple[float, ...]] | None = None,
    prior: Collection[str] = (),
    earlier: Collection[str] = (),
) -> ReplayStore:
    """Return the store as it was at a checkpoint; empty without one. The last three are those of `ReplayStore`.

    Raises:
        SnapshotError: The logs lack records that training has seen.
    """
    store = ReplayStore(capacity, action_gains, prior, earlier)
    if checkpoint is not None and REPLAY_FILE in checkpoint.files:
        store.load(readers, safetensors.numpy.load(checkpoint.files[REPLAY_FILE]))
    return store


def open_journal(path: Path, checkpoint: Checkpoint | None) -> Journal:
    """Open the journal at a checkpoint, or at its beginning."""
    return Journal(path, counters_of(checkpoint).step, checkpoint.facts.get("journal") if checkpoint else None)


def check_facts(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> None:
    """Check that a checkpoint belongs to this start; another configuration is a warning.

    Raises:
        CheckpointError: It was made from records of another schema.
    """
    if checkpoint.facts["schema_hash"] != facts["schema_hash"]:
        raise CheckpointError(
            f"{checkpoint.folder}: expected records of its own schema, found another; start a new run for this robot"
        )
    if checkpoint.facts["config_hash"] != facts["config_hash"]:
        logger.warning("%s: written with another configuration; the one of this start counts", checkpoint.folder)


def next_epoch(path: Path) -> int:
    """Count this start of the learner, so that its weights are newer than those of all earlier starts.

    Raises:
        EpochError: The file holds no number; a guess could make the new weights older than the ones in use.
    """
    epoch = 0
    if path.exists():
        try:
            epoch = msgspec.json.decode(path.read_bytes(), type=dict[str, int])["learner_epoch"] + 1
        except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as error:
            raise EpochError(
                f'{path}: expected {{"learner_epoch": number}}, found {quoted(str(error))}; write a number that no '
                "start of this learner has had, such as 1000"
            ) from None
    atomic_write_json(path, {"learner_epoch": epoch})
    crashpoint("epoch.counted")
    return epoch
