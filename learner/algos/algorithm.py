"""The contract of an algorithm: gradient steps on blocks of replay, weights for the actor, and a state to resume from.

An algorithm is one file here, or in a package of the user's own, and one YAML file in `configs/algo/`, whose
`entry_point` names the class. The train loop, checkpoints, CUDA graphs and the publisher know this contract alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.outcomes import Outcomes
from steadyhand.policies import Policy, PolicySpec
from steadyhand.policies.noise import Noise
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["Algorithm", "AlgorithmSettings", "Metrics", "Sampling", "TdSettings", "detached", "find_algorithm"]

Metrics = dict[str, Tensor]


@dataclass(frozen=True)
class Sampling:
    """An algorithm's sampling of the replay.

    Attributes:
        batch_size: Rows of one gradient step of the critics, or of the policy where there are no critics.
        slices: Batches in a block; a block counts as so many gradient steps.
        demo_ratio: Share of a batch's rows that come from demonstrations and corrections, 0..1.
        n_step: Control steps whose rewards are summed before bootstrapping.
        gamma: Discount of one control step.
        image_shift: Largest random shift of a frame [pixels].
        takeover_value: Share of the value of a state in which a person takes over that the policy's step before it
            keeps, 0..1.
        with_returns: Whether a block also has the discounted reward from its start to the end of the episode
            (`Batch.mc_return`), as calibrated algorithms need it.
    """

    batch_size: int
    slices: int
    demo_ratio: float
    n_step: int
    gamma: float
    image_shift: int
    takeover_value: float = 1.0
    with_returns: bool = False


class AlgorithmSettings(ABC):
    """Interface of every algorithm's settings, which are a frozen dataclass."""

    @property
    @abstractmethod
    def sampling(self) -> Sampling:
        """Sampling that the algorithm needs from the replay."""

    def adapt(self, spec: PolicySpec) -> PolicySpec:
        """Return the configured policy with the parts that the algorithm needs beside it; by default as it is."""
        return spec

    @property
    def needs_gripper(self) -> bool:
        """True if the task's actions have to have a gripper entry; by default False."""
        return False

    @property
    def needs_admission(self) -> bool:
        """True if actors get only weights that the newest data does not speak against (`learner/admission.py`)."""
        return True

    @property
    def target_ranges(self) -> dict[str, tuple[float, float]]:
        """Ranges that TD targets are limited to, by the name of the setting."""
        return {}


@dataclass(frozen=True)
class TdSettings(AlgorithmSettings):
    """Settings of algorithms that learn values by temporal differences; a subclass adds its own."""

    batch_size: int  # rows of one gradient step
    demo_ratio: float  # share of the rows that come from demonstrations and corrections, 0..1
    n_step: int  # control steps summed before bootstrapping
    gamma: float  # discount of one control step
    image_shift: int  # largest random shift of a frame in pixels (DrQ); 0 = none

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "batch_size", "n_step")
        expect_at_least(self, 0, "image_shift")
        expect_within(self, 0.0, 1.0, "demo_ratio", "gamma")
        expect_above(self, 0.0, "gamma")

    @property
    def sampling(self) -> Sampling:
        """One batch per block."""
        return Sampling(self.batch_size, 1, self.demo_ratio, self.n_step, self.gamma, self.image_shift)


S = TypeVar("S", bound=AlgorithmSettings)


class Algorithm(ABC, Generic[S]):
    """Trains a policy in place.

    A subclass sets `optimizers`, a mapping by the names of the trained parts, and may add tensors of its own by
    `own_tensors`. Its steps read nothing on the host, and change only `state_tensors`. They can thus be recorded as a
    CUDA graph, and resumed bit for bit.

    Args:
        settings: Settings of the class's `settings_type`.
        policy: Trained in place; its device is the device of everything here.
        seed: Fixes initial weights and all noise.

    Attributes:
        settings_type: The dataclass that the YAML file of the algorithm is read into.
        noise: Source of all random numbers, on the policy's device.
    """

    settings_type: ClassVar[type[AlgorithmSettings]]

    def __init__(self, settings: S, policy: Policy, seed: int) -> None:
        self.settings = settings
        self.policy = policy
        self.device = policy.mean.device
        self.noise = Noise(seed, self.device)
        self.optimizers: dict[str, GuardedAdam] = {}
        self._trained = {name: p for name, p in policy.named_parameters() if p.requires_grad}

    @property
    def sampling(self) -> Sampling:
        """Sampling that the algorithm needs from the replay."""
        return self.settings.sampling

    @abstractmethod
    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make the gradient steps of one block of online data and demonstrations.

        Args:
            block: Rows (slices * batch_size, ...) with the fields of `Batch`.

        Returns:
            Metrics as tensors (), left on the device until they are read.
        """

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the gradient steps of one block of demonstrations, before online training; by default as `update`.

        Args:
            block: Rows as in `update`, each from a demonstration or from another log that training starts from.
        """
        return self.update(block)

    def heed(self, outcomes: Outcomes) -> None:
        """Adapt the state to the outcomes of practice, if the algorithm does; a resumed learner repeats the call."""

    def start_from_weights(self) -> None:
        """Begin a run with weights of another one, which were just loaded; by default nothing is to do."""

    def estimate(self, observation: Mapping[str, Tensor], action: Tensor) -> Tensor | None:
        """Estimate the return (B,) of actions (B, A) in observations; None where the algorithm has no critics."""
        return None

    def own_tensors(self) -> dict[str, Tensor]:
        """Tensors of the state beside the policy and the optimisers, by name; views, not copies."""
        return {}

    def published(self) -> Mapping[str, Tensor]:
        """Return the policy's weights for the actors, by name."""
        return detached(self._trained)

    def policy_tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return a copy of the weights for the actors."""
        return {name: value.cpu().numpy().copy() for name, value in self.published().items()}

    def skipped(self) -> int:
        """Optimiser steps left out so far because a loss or a gradient was not finite."""
        return sum(int(optimizer.skipped.item()) for optimizer in self.optimizers.values())

    def state_tensors(self) -> dict[str, Tensor]:
        """Everything that a bit-for-bit resume needs, by name; views, not copies."""
        tensors = {f"policy/{name}": value for name, value in detached(self._trained).items()} | self.own_tensors()
        for owner, optimizer in self.optimizers.items():
            tensors |= {f"optimizer/{owner}/{name}": value for name, value in optimizer.state_tensors().items()}
        tensors["generator"] = self.noise.generator.get_state()
        return tensors

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the tensors that `state_tensors` returned, into an algorithm of the same settings.

        Raises:
            ValueError: The tensors are those of another policy or algorithm.
        """
        own = self.state_tensors()
        differing = sorted(own.keys() ^ tensors.keys())
        differing += sorted(name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape)
        if differing:
            raise ValueError(
                f"checkpoint: {differing[:3]} do not fit; it was written with another policy or algo config"
            )
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(tensors[name])
        self.noise.generator.set_state(tensors["generator"].cpu())


def detached(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors that share the memory and have no gradient, by the same names."""
    return {name: value.detach() for name, value in tensors.items()}


def find_algorithm(values: Mapping[str, Any], where: str = "algo") -> Component[Algorithm[Any]]:
    """Find the algorithm of a configuration group `algo`, and build its settings.

    Raises:
        ConfigError: The group names none, or a setting is wrong.
    """
    return find_component(values, Algorithm, where)  # type: ignore[type-abstract]
