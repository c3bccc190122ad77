"""Cal-QL (Nakamoto et al., arXiv 2303.05479): a conservative pretraining whose values stay on the scale of returns.

Pretraining lowers Q on the policy's own actions, but never below the return that was recorded from the same state.
Online training, which is plain SAC on its own records, then does not begin by unlearning (WSRL, arXiv 2412.07762).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Metrics, Sampling
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.sac import Sac, SacSettings
from steadyhand.policies import heads
from steadyhand.runtime.ranges import expect_at_least

__all__ = ["CalQl", "CalQlSettings"]


@dataclass(frozen=True)
class CalQlSettings(SacSettings):
    """Settings of SAC, and of its conservative pretraining."""

    cql_weight: float  # weight of the conservative term
    cql_actions: int  # actions drawn for each row from each of three distributions

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_at_least(self, 0.0, "cql_weight")
        expect_at_least(self, 1, "cql_actions")

    @property
    def sampling(self) -> Sampling:
        """Return SAC's sampling with the recorded returns added."""
        return replace(super().sampling, with_returns=True)


class CalQl(Sac):
    """SAC with a calibrated conservative pretraining; the arguments are those of `Sac`."""

    settings_type = CalQlSettings
    settings: CalQlSettings

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `update`, with the conservative term in the critics' loss."""
        step = self._update_critics(block, self.settings.actor_bc_weight, self.conservative_term)
        metrics = step.metrics | self.update_actor(step.features, step.batch)
        metrics |= self.update_temperature(metrics["entropy"])
        self._average_published()
        return metrics

    def conservative_term(self, features: Tensor, batch: Batch, q: Tensor) -> Tensor:
        """The weighted gap () between the soft maximum of Q over drawn actions and Q of the recorded one (equation 5).

        Args:
            features: Features (B, F) of the observation.
            batch: The batch of B rows.
            q: Q values (N, B) of the recorded actions.
        """
        count, size = self.settings.cql_actions, batch.action.shape[1]
        with torch.no_grad():
            next_features = self.policy.features(batch.next_observation)
            drawn = [self._draw(seen, count) for seen in (features.detach(), next_features)]
            uniform = 2.0 * self.noise.uniform((count, *batch.action.shape)) - 1.0
        actions = torch.cat([uniform, *(action for action, _ in drawn)])
        uniform_density = torch.full(uniform.shape[:2], -size * math.log(2.0), device=self.device)
        density = torch.cat([uniform_density, *(density for _, density in drawn)])
        rows = features.repeat(len(actions), 1)
        values = self.critic.q(rows, actions.flatten(0, 1)).view(len(q), len(actions), -1)  # (N, 3 count, B)
        calibrated = torch.maximum(values[:, count:], batch.mc_return)
        values = torch.cat([values[:, :count], calibrated], dim=1)
        soft_maximum = torch.logsumexp(values - density, dim=1) - math.log(len(actions))
        return self.settings.cql_weight * (soft_maximum - q).mean()

    def _draw(self, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Draw `count` actions of the policy a row: (count, B, A), and their log densities (count, B)."""
        mean, log_std = self.policy.distribution(features)
        size = (count, -1, -1)
        return heads.sample(mean.expand(size), log_std.expand(size), self.noise)
