"""Residual RLPD: a base that clones demonstrations and corrections, and a bounded correction of it that climbs Q.

The base is trained by imitation alone, online too: it learns a correction of the operator as HG-DAgger does
(arXiv 1810.02890). Reinforcement learning decides only the change of its action. The change begins at zero and is
bounded (residual RL, arXiv 1812.03201; on cloned bases ResFiT, arXiv 2509.19301, and EXPO, arXiv 2507.07986), so a
critic that is still wrong cannot take away what was shown. The critics are those of RLPD (arXiv 2302.02948).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import EnsembleAlgorithm, EnsembleSettings
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, PolicySpec
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["Residual", "ResidualSettings"]

SMALLEST_Q = 1e-3  # below it Q tells nothing yet, and a normalised gradient would be noise


@dataclass(frozen=True)
class ResidualSettings(EnsembleSettings):
    """Settings of residual RLPD."""

    residual_scale: float  # largest change of an entry of the base's action
    action_noise: float  # standard deviation of the actions in practice, before tanh
    residual_lr: float
    warm_updates: int  # blocks online in which the critics learn alone
    growth_updates: int  # blocks online over which the change grows from zero to its full scale

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "residual_lr", "residual_scale", "action_noise")
        expect(self.residual_scale <= 2.0, "residual_scale", "at most 2, the width of the actions", self.residual_scale)
        expect_at_least(self, 0, "warm_updates")
        expect_at_least(self, 1, "growth_updates")

    def adapt(self, spec: PolicySpec) -> PolicySpec:
        """Add the residual network, and give practice its noise, which no loss of this algorithm trains."""
        start = min(max(math.log(self.action_noise), spec.log_std_min), spec.log_std_max)
        return replace(spec, residual_scale=self.residual_scale, log_std_start=start)


class Residual(EnsembleAlgorithm[ResidualSettings]):
    """A cloned base, a residual network and an ensemble of critics; see `EnsembleAlgorithm`."""

    settings_type: ClassVar[type[AlgorithmSettings]] = ResidualSettings

    def __init__(self, settings: ResidualSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        if policy.residual is None:
            raise ValueError("algo=residual: expected a policy with a residual network, found one without")
        self._made = torch.zeros((), device=self.device)  # blocks online
        self._share = policy.residual_share.detach()
        self._share.zero_()
        self.optimizers |= {
            "policy": GuardedAdam(policy.trunk.parameters(), settings.policy_lr),
            "residual": GuardedAdam(policy.residual.parameters(), settings.residual_lr),
        }

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `update` without those of the residual network."""
        features, batch, metrics = self._update_critics(block, imitation=1.0)
        metrics |= self.update_base(features, batch)
        self._average_published()
        return metrics

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make `policy_delay` critic steps, each on a slice, then one of the base and one of the residual network."""
        features, batch, metrics = self._update_critics(block, imitation=1.0)
        metrics |= self.update_base(features, batch)
        metrics |= self.update_residual(features)
        self._made += 1
        self._share.copy_((self._made / self.settings.growth_updates).clamp(max=1.0))
        self._average_published()
        return metrics | {"residual_share": self._share[0].clone()}

    def update_base(self, features: Tensor, batch: Batch) -> Metrics:
        """Make one step of the base towards the recorded actions of demonstrations and corrections."""
        loss = self._cloning_loss(*self.policy.base(features), batch)
        self.optimizers["policy"].step(loss)
        return {"bc_loss": loss.detach()}

    def update_residual(self, features: Tensor) -> Metrics:
        """Make one step of the residual network towards higher Q, in units of the mean Q.

        The division makes a task's step as large with long episodes, whose values are small, as with short ones
        (TD3+BC, arXiv 2106.06860, equation 5).
        """
        mean, _ = self.policy.base(features)
        mean = mean.detach()
        action = torch.tanh(self.policy.corrected(features, mean))
        q = self.critic.q(features, action, frozen=True).amin(0)
        waits = (self._made < self.settings.warm_updates).float()
        loss = -(1.0 - waits) * q.mean() / q.detach().abs().mean().clamp(min=SMALLEST_Q)
        norm = self.optimizers["residual"].step(loss)
        change = (action.detach() - torch.tanh(mean)).abs().mean()
        return {"policy_loss": loss.detach(), "policy_gradient_norm": norm, "residual_change": change}

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights, the critics and the number of updates."""
        return super().own_tensors() | {"made": self._made}
