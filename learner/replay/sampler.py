"""Sampler of blocks of transitions, a pure function of the seed, the update, and the visible part of the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.learner.replay.gripper_changes import gripper_changes
from steadyhand.learner.replay.mixer import Mixer
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.policies import PolicySpec
from steadyhand.transport.record import OBSERVATION

__all__ = ["Block", "Sampler"]

WHOLE_EPISODE = 1 << 30  # steps
Observation = dict[str, NDArray[np.float32 | np.uint8 | np.float16]]


class Block(TypedDict):
    """R rows for gradient steps, in the form of `learner.algos.batch.Batch`."""

    observation: Observation  # vectors (R, H, D) float32 SI units, frames (R, H, height, width, 3) uint8
    # or, with a cache of features, their maps (R, H, C, h, w) float16.
    action: NDArray[np.float32]  # (R, A) in [-1, 1]
    reward: NDArray[np.float32]  # (R,) discounted n-step sum
    discount: NDArray[np.float32]  # (R,) gamma^k (1 - terminated)
    next_observation: Observation  # as observation, k steps later
    is_demo: NDArray[np.bool_]  # (R,) demo or human action
    is_correction: NDArray[np.bool_]  # (R,) the human ones of practice
    mc_return: NDArray[np.float32]  # (R,) discounted reward to the episode's end; zeros unless requested
    gripper_changes: NDArray[np.float32]  # (R, D) discounted n-step count, per discrete entry of the policy's action


class Sampler:
    """Samples with replacement and gathers the rows straight from the logs.

    Args:
        store: The transitions to sample.
        spec: The fields to gather, and the number of observations in a row.
        sampling: The algorithm's sampling.
        seed: Seed of the run.
        features: Gives maps of a frozen encoder instead of frames, each of a view drawn at random.
        prior_share: Share of other runs' online data in the rows that are not of demonstrations, 0..1.
        earlier_share: Share of an earlier run's demonstrations in the rows of demonstrations, 0..1.
    """

    def __init__(
        self,
        store: ReplayStore,
        spec: PolicySpec,
        sampling: Sampling,
        seed: int,
        features: FeatureCache | None = None,
        prior_share: float = 0.0,
        earlier_share: float = 0.0,
    ) -> None:
        self._store = store
        self._spec = spec
        self._sampling = sampling
        self._mixer = Mixer(sampling.demo_ratio, sampling.batch_size, prior_share, earlier_share)
        self._seed = seed
        self._features = features

    def sample(self, update: int, slices: int, offline: bool = False) -> Block:
        """Draw one block.

        Args:
            update: Number of the block's first gradient step; the block's noise and mixture follow from it.
            slices: Batches in the block, each with its share of demo rows.
            offline: Whether to draw only demonstrations and other runs' data, and nothing of this run's own.
        """
        store = self._store
        online, demo, earlier, prior = store.online, store.demo, store.earlier, store.prior
        shown = len(demo) + len(earlier)
        if offline:
            online = online[:0]
        if not len(online) and not shown and not len(prior):
            raise ValueError("sample: expected at least one start, found none; wait for transitions or give demos")
        rng = np.random.Generator(np.random.Philox(key=np.array([self._seed, update], np.uint64)))
        ids = np.empty((slices, self._sampling.batch_size), np.int64)
        for index in range(slices):
            row, batch, mixer = ids[index], update + index, self._mixer
            if offline:
                demo_rows = mixer.offline_demo_rows(batch, shown, len(prior))
            else:
                demo_rows = mixer.demo_rows(batch, len(online) + len(prior), shown)
            own = demo_rows - mixer.earlier_rows(batch, len(demo), len(earlier), demo_rows)
            end = len(row) - mixer.prior_rows(batch, len(online), len(prior), demo_rows)
            parts = (row[:own], demo), (row[own:demo_rows], earlier), (row[demo_rows:end], online), (row[end:], prior)
            for part, starts in parts:
                if part.size:
                    part[:] = starts[rng.integers(0, len(starts), part.size)]
        sampling = self._sampling
        steps = sampling.n_step, sampling.gamma, self._spec.obs_horizon, sampling.takeover_value
        if store.drop_unfit(ids.reshape(-1), *steps):
            return self.sample(update, slices, offline)  # from the starts that are left
        return self.gather(ids.reshape(-1), rng)

    def gather(self, ids: NDArray[np.int64], rng: np.random.Generator | None = None) -> Block:
        """Return the transitions that begin at starts (R,), in this order; `rng` draws the views, None = the first."""
        count, spec, features, sampling = len(ids), self._spec, self._features, self._sampling
        action = np.empty((count, spec.action_size), np.float32)
        reward, discount = np.empty(count, np.float32), np.empty(count, np.float32)
        is_demo, is_correction = np.empty(count, np.bool_), np.empty(count, np.bool_)
        mc_return = np.zeros(count, np.float32)
        changes = np.zeros((count, len(spec.decided)), np.float32)
        # Observation and next observation in one array, so that each field is gathered once.
        pairs: Observation = {}
        for item in spec.inputs:
            shape, dtype = item.shape, item.dtype
            if features is not None and item.is_frame:
                shape, dtype = features.shapes[item.key], "float16"
            pairs[item.key] = np.empty((2, count, spec.obs_horizon, *shape), dtype)
        views = np.zeros((2, count), np.int64)
        if features is not None and rng is not None:
            views = rng.integers(0, features.views, (2, count))
        for log, places, rows in self._store.by_log(ids):
            reached, reward[places], discount[places] = log.n_step(
                rows, sampling.n_step, sampling.gamma, sampling.takeover_value
            )
            action[places] = log.action(rows)
            is_demo[places] = log.is_demo(rows)
            is_correction[places] = is_demo[places] & log.is_practice(rows)
            if spec.decided:
                changes[places] = gripper_changes(log, rows, reached, sampling.gamma, spec.decided)
            if sampling.with_returns:
                mc_return[places] = log.n_step(rows, WHOLE_EPISODE, sampling.gamma)[1]
            both = np.stack([log.history(rows, spec.obs_horizon), log.history(reached, spec.obs_horizon)])
            wanted = both.reshape(-1)
            maps: Mapping[str, NDArray[Any]] = {}
            if features is not None:
                same = np.broadcast_to(views[:, places, None], both.shape).reshape(-1)  # all frames of one decision
                maps = features.gather(log.reader, wanted, log.seq(wanted), same)
            for item in spec.inputs:
                found = maps[item.key] if item.key in maps else log.gather(wanted, OBSERVATION + item.key)
                found = found.reshape(*both.shape, *found.shape[1:])
                if isinstance(places, slice):  # one log holds every row: no second copy
                    pairs[item.key] = found
                else:
                    pairs[item.key][:, places] = found
        return Block(
            observation={key: pair[0] for key, pair in pairs.items()},
            action=action,
            reward=reward,
            discount=discount,
            next_observation={key: pair[1] for key, pair in pairs.items()},
            is_demo=is_demo,
            is_correction=is_correction,
            mc_return=mc_return,
            gripper_changes=changes,
        )
