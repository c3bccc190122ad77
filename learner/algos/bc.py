"""Behaviour cloning: the policy's likelihood, or squared error, on recorded actions.

As an algorithm of the learner it goes on cloning in every block; `hg_dagger` learns online from corrections alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm, AlgorithmSettings, Metrics, Sampling
from steadyhand.learner.algos.batch import shift_frames, to_device
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, heads
from steadyhand.policies.noise import Noise
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["Bc", "BcSettings", "CloningLoss", "cloning_loss"]

CloningLoss = Literal["nll", "mse"]


def cloning_loss(kind: str, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Loss (B,) of recorded actions (B, A) in [-1, 1] under mean and log_std (B, A) before tanh.

    `nll` also fits the standard deviation; `mse` on the mode leaves it alone.
    """
    if kind == "nll":
        return -heads.log_prob(mean, log_std, action)
    return (torch.tanh(mean) - action).square().sum(-1)


@dataclass(frozen=True)
class BcSettings(AlgorithmSettings):
    """Settings of behaviour cloning."""

    batch_size: int  # rows of one step
    loss: CloningLoss
    policy_lr: float
    image_shift: int  # largest random shift of a frame in pixels; 0 = none

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "batch_size")
        expect_at_least(self, 0, "image_shift")
        expect_above(self, 0.0, "policy_lr")

    @property
    def sampling(self) -> Sampling:
        """Return a sampling of demonstrations and corrections alone."""
        return Sampling(self.batch_size, 1, 1.0, 1, 1.0, self.image_shift)


class Bc(Algorithm[BcSettings]):
    """Supervised training of a policy, encoder included, on demonstrations and corrections.

    Args:
        settings: Loss and optimiser.
        policy: Trained in place.
        seed: Fixes the image shifts.
    """

    settings_type: ClassVar[type[AlgorithmSettings]] = BcSettings

    def __init__(self, settings: BcSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        trained = (p for p in policy.parameters() if p.requires_grad)
        self.optimizers = {"policy": GuardedAdam(trained, settings.policy_lr)}

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make one gradient step on the rows of demonstrations and corrections; the other rows have no weight."""
        loss, _ = self._losses(self._shifted(block), block, self.noise)
        norm = self.optimizers["policy"].step(loss)
        return {"bc_loss": loss.detach(), "policy_gradient_norm": norm}

    @torch.no_grad()
    def evaluate(self, block: Mapping[str, Any]) -> Metrics:
        """Loss and mean squared action error () on held-out rows."""
        loss, error = self._losses(to_device(block["observation"], self.device), block)
        return {"validation_loss": loss, "validation_mse": error}

    def row_weights(self, block: Mapping[str, Any]) -> Tensor:
        """Return the weights (B,) of the rows in the loss: 1 for demonstrations and corrections, else 0."""
        shown: Tensor = to_device(block["is_demo"], self.device)
        return shown.float()

    def _shifted(self, block: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Return the block's observations on the device, with frames shifted at random."""
        observation = to_device(block["observation"], self.device)
        pixels = self.settings.image_shift
        return shift_frames(observation, pixels, self.noise) if pixels else observation

    def _losses(
        self, observation: Mapping[str, Tensor], block: Mapping[str, Any], dropout: Noise | None = None
    ) -> tuple[Tensor, Tensor]:
        mean, log_std = self.policy.distribution(self.policy.features(observation, dropout))
        action, weight = to_device(block["action"], self.device), self.row_weights(block)
        weight = weight / weight.sum().clamp(min=1.0)
        error = (torch.tanh(mean.detach()) - action).square().mean(-1)
        loss = cloning_loss(self.settings.loss, mean, log_std, action)
        return (weight * loss).sum(), (weight * error).sum()
