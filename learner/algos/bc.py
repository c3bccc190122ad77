"""Behaviour cloning: the policy's likelihood, or squared error, on recorded actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from steadyhand.learner.algos.batch import shift_frames, to_device
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.config import BcConfig
from steadyhand.policies import Policy, heads

__all__ = ["Bc", "cloning_loss"]


def cloning_loss(kind: str, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Loss (B,) of recorded actions (B, A) in [-1, 1] under mean and log_std (B, A) before tanh.

    `nll` also fits the standard deviation; `mse` on the mode leaves it alone.
    """
    if kind == "nll":
        return -heads.log_prob(mean, log_std, action)
    return (torch.tanh(mean) - action).square().sum(-1)


class Bc:
    """Supervised training of a policy, encoder included.

    Args:
        config: loss and optimiser.
        policy: trained in place.
        seed: fixes the image shifts.
    """

    def __init__(self, config: BcConfig, policy: Policy, seed: int) -> None:
        self.config = config
        self.policy = policy
        self.device = policy.mean.device
        self._generator = torch.Generator(self.device).manual_seed(seed)
        self._optimizer = GuardedAdam((p for p in policy.parameters() if p.requires_grad), config.policy_lr)

    def update(self, block: Mapping[str, Any]) -> dict[str, Tensor]:
        """One gradient step on every row of the block; only `observation` and `action` are read."""
        observation = to_device(block["observation"], self.device)
        if self.config.image_shift:
            observation = shift_frames(observation, self.config.image_shift, self._generator)
        loss, _ = self._losses(observation, block, self._generator)
        self._optimizer.step(loss)
        return {"bc_loss": loss.detach(), "skipped": self._optimizer.skipped}

    @torch.no_grad()
    def evaluate(self, block: Mapping[str, Any]) -> dict[str, Tensor]:
        """Loss and mean squared action error () on held-out rows."""
        loss, error = self._losses(to_device(block["observation"], self.device), block)
        return {"validation_loss": loss, "validation_mse": error}

    def _losses(
        self, observation: Mapping[str, Tensor], block: Mapping[str, Any], dropout: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        mean, log_std = self.policy.distribution(self.policy.features(observation, dropout))
        action = torch.as_tensor(block["action"]).to(self.device)
        error = (torch.tanh(mean.detach()) - action).square().mean()
        return cloning_loss(self.config.loss, mean, log_std, action).mean(), error
