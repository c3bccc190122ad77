"""Conformance tests of a learner's algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm, Sampling, find_algorithm
from steadyhand.learner.algos.batch import Batch
from steadyhand.policies import InputSpec, Policy, PolicySpec
from steadyhand.runtime.config import compose

__all__ = ["AlgorithmContract"]


class AlgorithmContract:
    """Base class of an algorithm's tests: derive and set `group`; pytest runs the tests.

    Attributes:
        group: The override that chooses the algorithm, such as `algo=iql`.
        overrides: More overrides, for instance a smaller batch.
    """

    group: str
    overrides: tuple[str, ...] = ("algo.batch_size=16",)

    def make(self, seed: int = 0, pixels: bool = False) -> Algorithm[Any]:
        """Make the algorithm on a small network."""
        config = compose([self.group, *self.overrides])
        found = find_algorithm(config["algo"])
        algorithm = found.make(Policy(found.settings.adapt(_spec(pixels)), seed), seed)
        assert isinstance(algorithm, Algorithm)
        return algorithm

    def block(self, algorithm: Algorithm[Any], seed: int = 0) -> dict[str, Any]:
        """Make a block of the sampler's form."""
        return random_block(algorithm.policy.spec, algorithm.sampling, seed)

    def test_it_says_what_it_wants_of_the_replay(self) -> None:
        """The sampling is valid, and known before the algorithm is made."""
        algorithm = self.make()
        sampling = algorithm.sampling
        assert sampling == algorithm.settings.sampling
        assert sampling.batch_size >= 1
        assert sampling.slices >= 1
        assert 0.0 <= sampling.demo_ratio <= 1.0

    def test_a_step_changes_the_policy_and_tells_scalars(self) -> None:
        """Both kinds of step train, and their metrics are scalar tensors."""
        for name in ("pretrain", "update"):
            algorithm = self.make()
            before = algorithm.policy_tensors()
            for seed in range(3):
                metrics = getattr(algorithm, name)(self.block(algorithm, seed))
            assert all(isinstance(value, Tensor) and value.shape == () for value in metrics.values())
            assert all(bool(torch.isfinite(value)) for value in metrics.values())
            after = algorithm.policy_tensors()
            assert before.keys() == after.keys()
            assert any(not np.array_equal(before[key], after[key]) for key in before)

    def test_actors_can_load_its_weights(self) -> None:
        """The published tensors are those of the policy."""
        algorithm = self.make(pixels=True)
        Policy(algorithm.policy.spec, seed=1).load_tensors(algorithm.policy_tensors())

    def test_its_estimate_is_one_return_a_row_or_none(self) -> None:
        """The learner compares weights by it before actors get them."""
        algorithm = self.make()
        batch = Batch.from_block(self.block(algorithm), algorithm.device)
        found = algorithm.estimate(batch.observation, batch.action)
        assert found is None or found.shape == batch.reward.shape
        assert found is None or not found.requires_grad

    def test_the_seed_fixes_everything(self) -> None:
        """Two algorithms of the same seed make the same steps bit for bit."""
        one, other = self.make(), self.make()
        for seed in range(3):
            one.update(self.block(one, seed))
            other.update(self.block(other, seed))
        _assert_same(one.state_tensors(), other.state_tensors())

    def test_it_resumes_bit_for_bit(self) -> None:
        """A restored state leads to the same steps, bit for bit: the state holds everything that a step changes."""
        for pixels in (False, True):
            one = self.make(pixels=pixels)
            one.pretrain(self.block(one, 0))
            one.update(self.block(one, 1))
            saved = {name: value.clone() for name, value in one.state_tensors().items()}
            one.update(self.block(one, 2))
            other = self.make(seed=5, pixels=pixels)
            other.load_state_tensors(saved)
            other.update(self.block(other, 2))
            _assert_same(one.state_tensors(), other.state_tensors())

    def test_rows_that_are_not_finite_are_counted_and_poison_nothing(self) -> None:
        """A broken record must not end a run."""
        algorithm = self.make()
        block = self.block(algorithm)
        for name in ("action", "reward"):
            block[name][:] = np.nan
        algorithm.update(block)
        assert algorithm.skipped() > 0
        assert all(bool(value.isfinite().all()) for value in algorithm.state_tensors().values())


def random_block(spec: PolicySpec, sampling: Sampling, seed: int) -> dict[str, Any]:
    """Return a block of noise with the fields of `Batch`, (slices * batch_size, ...); every second row is a demo."""
    rng, rows = np.random.default_rng(seed), sampling.slices * sampling.batch_size

    def observation() -> dict[str, Any]:
        return {
            item.key: rng.integers(0, 256, (rows, spec.obs_horizon, *item.shape), np.uint8)
            if item.is_frame
            else rng.normal(size=(rows, spec.obs_horizon, *item.shape)).astype(np.float32)
            for item in spec.inputs
        }

    return {
        "observation": observation(),
        "action": rng.uniform(-1.0, 1.0, (rows, spec.action_size)).astype(np.float32),
        "reward": rng.integers(0, 2, rows).astype(np.float32),
        "discount": np.where(rng.uniform(size=rows) > 0.2, 0.97, 0.0).astype(np.float32),
        "next_observation": observation(),
        "is_demo": np.arange(rows) % 2 == 0,
        "is_correction": np.arange(rows) % 4 == 0,
        "mc_return": rng.uniform(0.0, 1.0, rows).astype(np.float32),
        "gripper_changes": rng.integers(0, 2, (rows, len(spec.decided))).astype(np.float32),
    }


def _spec(pixels: bool) -> PolicySpec:
    frames = (InputSpec("wrist", (32, 32, 3), "uint8"),) if pixels else ()
    return PolicySpec(
        inputs=(InputSpec("state", (3,), "float32"), *frames),
        obs_horizon=1,
        action_size=2,
        hidden=(16, 16),
        layer_norm=False,
        activation="relu",
        encoder="small_cnn" if pixels else "none",
        latent_size=8,
        log_std_min=-5.0,
        log_std_max=1.0,
        log_std_start=None,
        normaliser={},
        encoder_hash="",
        gripper_entries=(1,),
    )


def _assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    differing = [name for name in one if not torch.equal(one[name], other[name])]
    assert not differing, f"expected the same tensors, found others in {differing[:5]}"
