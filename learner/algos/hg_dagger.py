"""HG-DAgger (arXiv 1810.02890): cloning of demonstrations and of a person's corrections, without a reward.

The person decides when to take over, and only the person's actions are imitated. Corrections join the demonstrations
in one set. The paper trains anew on that set after each round of rollouts. Here a learner makes gradient steps on it
while the robot works, and only in blocks that contain a correction: without any, the clone stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import to_device
from steadyhand.learner.algos.bc import Bc, BcSettings
from steadyhand.runtime.ranges import expect_above

__all__ = ["HgDagger", "HgDaggerSettings"]


@dataclass(frozen=True)
class HgDaggerSettings(BcSettings):
    """Settings of HG-DAgger."""

    correction_weight: float  # weight of a correction's row beside a demonstration's; 1 = one set, as in the paper

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "correction_weight")


class HgDagger(Bc):
    """Supervised training on demonstrations, and online on them and the corrections; see `Bc`."""

    settings: HgDaggerSettings
    settings_type: ClassVar[type[AlgorithmSettings]] = HgDaggerSettings

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make one gradient step on the rows of demonstrations."""
        return super().update(block)

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make one gradient step on demonstrations and corrections; none if the block has no correction."""
        corrections = self._corrections(block)
        observation = self._shifted(block)
        loss, _ = self._losses(observation, block, self.noise)
        norm = self.optimizers["policy"].step(loss, corrections.amax())
        return {
            "bc_loss": loss.detach(),
            "policy_gradient_norm": norm,
            "correction_share": corrections.mean(),
            "correction_error": self._correction_error(observation, block, corrections),
        }

    @torch.no_grad()
    def _correction_error(self, observation: Mapping[str, Tensor], block: Mapping[str, Any], rows: Tensor) -> Tensor:
        """Return the mean squared error () of an action's entry on the corrections, rows (B,); 0 without any."""
        action: Tensor = to_device(block["action"], self.device)
        error = (self.policy.mode(observation) - action).square().mean(-1)
        found: Tensor = (rows * error).sum() / rows.sum().clamp(min=1.0)
        return found

    def row_weights(self, block: Mapping[str, Any]) -> Tensor:
        """Return the weights (B,) of the rows: 1 for a demonstration, `correction_weight` for a correction, else 0."""
        heavier = (self.settings.correction_weight - 1.0) * self._corrections(block)
        return super().row_weights(block) * (1.0 + heavier)

    def _corrections(self, block: Mapping[str, Any]) -> Tensor:
        """Return 1 for each row (B,) of a correction, else 0."""
        rows: Tensor = to_device(block["is_correction"], self.device)
        return rows.float()
