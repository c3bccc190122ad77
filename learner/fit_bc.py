"""Behaviour cloning from a store, with held-out episodes for a fair comparison of the candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from steadyhand.learner.algos.bc import Bc, BcSettings
from steadyhand.learner.config import FitConfig
from steadyhand.learner.malloc import keep_freed_memory
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.policies import Backbone, Policy, PolicySpec
from steadyhand.transport.log_reader import LogReader

__all__ = ["BcCandidate", "BcDataError", "fit_bc", "open_store"]


class BcDataError(ValueError):
    """A store without an action to clone."""


@dataclass(frozen=True)
class BcCandidate:
    """A candidate policy; the caller chooses one by trials of its own, or by the validation error."""

    epoch: int
    tensors: dict[str, NDArray[np.float32]]
    train_loss: float
    validation_loss: float  # NaN when no episode was held out
    validation_mse: float  # mean squared error of an action component; NaN likewise


def open_store(
    folders: Sequence[Path], action_gains: Mapping[str, tuple[float, ...]] | None = None
) -> tuple[ReplayStore, list[LogReader]]:
    """Open logs and make all their records visible. `action_gains` are those of `ReplayStore`."""
    readers = [LogReader(folder) for folder in folders]
    store = ReplayStore(np.iinfo(np.int64).max, action_gains)
    store.advance(store.refresh(readers))
    return store, readers


def fit_bc(
    store: ReplayStore,
    spec: PolicySpec,
    settings: BcSettings,
    fit: FitConfig,
    seed: int,
    backbone: Backbone | None = None,
    features: FeatureCache | None = None,
    device: torch.device | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[BcCandidate]:
    """Clone the actions that are visible in the store and imitated.

    Args:
        store: Its imitated rows are the data: demonstrations without a failure label, and interventions
            (HG-DAgger) where there are some.
        spec: The policy's specification.
        settings: Loss and optimiser.
        fit: Epochs and split.
        seed: Fixes the split, the weights and the order.
        backbone: The frozen part of the policy's encoder, if it has one.
        features: Feature cache of that encoder; None = frames are encoded in every step.
        device: Device to compute on; None = the CPU.
        stop: Returns whether to end after the running epoch; the last candidate is then that epoch's.

    Returns:
        Candidates by epoch, evenly spaced, the last epoch's last.

    Raises:
        BcDataError: The store has no visible row to imitate.
    """
    ids = store.imitated
    if not len(ids):
        failures = "; labels call all of them failures" if len(store.demo) else "; record some"
        raise BcDataError(f"behaviour cloning: expected demonstrations or interventions, found none{failures}")
    keep_freed_memory()
    rng = np.random.default_rng(seed)
    train, held_out = _split(store, ids, fit.validation_share, rng)
    policy = Policy(spec, seed, backbone).to(device or torch.device("cpu"))
    bc = Bc(settings, policy, seed)
    sampler = Sampler(store, spec, settings.sampling, seed, features)
    kept = {round((index + 1) * fit.epochs / fit.candidates) for index in range(fit.candidates)}
    candidates = []
    for epoch in range(1, fit.epochs + 1):
        losses = [
            bc.update(sampler.gather(ids, rng))["bc_loss"]
            for ids in _batches(rng.permutation(train), settings.batch_size)
        ]
        stopped = stop()
        if epoch in kept or stopped:
            validation_loss, validation_mse = _validate(bc, sampler, held_out, settings.batch_size)
            train_loss = float(torch.stack(losses).mean())
            tensors = policy.trainable_tensors()
            candidates.append(BcCandidate(epoch, tensors, train_loss, validation_loss, validation_mse))
        if stopped:
            break
    return candidates


def _split(
    store: ReplayStore, ids: NDArray[np.int64], validation_share: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split starts (n,) by episode: neighbours are nearly equal, and must not be in both parts."""
    episodes = store.episodes(ids)
    count = int(episodes.max()) + 1
    held_out = min(max(1, round(validation_share * count)), count - 1) if validation_share else 0
    is_held_out = np.isin(episodes, rng.permutation(count)[:held_out])
    return ids[~is_held_out], ids[is_held_out]


def _batches(ids: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    return np.array_split(ids, -(-len(ids) // batch_size))


def _validate(bc: Bc, sampler: Sampler, ids: NDArray[np.int64], batch_size: int) -> tuple[float, float]:
    if not len(ids):
        return float("nan"), float("nan")
    total = np.zeros(2)
    for part in _batches(ids, batch_size):
        errors = bc.evaluate(sampler.gather(part))
        total += len(part) * np.array([float(errors["validation_loss"]), float(errors["validation_mse"])])
    loss, mse = (total / len(ids)).tolist()
    return loss, mse
