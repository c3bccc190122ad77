"""Soft actor-critic over mixed online and demo rows; with RLPD's numbers it is RLPD (arXiv 2302.02948)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import EnsembleAlgorithm, EnsembleSettings
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, heads
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["Sac", "SacSettings"]

SATURATED = 0.99  # an action component beyond this counts as saturated in the metrics


@dataclass(frozen=True)
class SacSettings(EnsembleSettings):
    """Settings of soft actor-critic. RLPD is this with other numbers."""

    backup_entropy: bool  # the target includes the entropy of the next action
    actor_q: Literal["mean", "min"]  # over all critics, in the policy's objective
    init_temperature: float  # first weight of the entropy
    target_entropy: float | None  # nats; null = -action_size / 2
    actor_bc_weight: float  # weight of imitating the demo and human rows; 0 = off
    actor_bc_q_filter: bool  # imitate only rows whose recorded action has the higher Q
    temperature_lr: float

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "init_temperature", "temperature_lr")
        expect_at_least(self, 0, "actor_bc_weight")


class Sac(EnsembleAlgorithm[SacSettings]):
    """A policy, an ensemble of critics with their targets, and a temperature; see `EnsembleAlgorithm`."""

    settings_type: ClassVar[type[AlgorithmSettings]] = SacSettings

    def __init__(self, settings: SacSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.init_temperature), device=self.device))
        entropy = settings.target_entropy
        self.target_entropy = -policy.spec.action_size / 2 if entropy is None else entropy
        self.optimizers |= {
            "policy": GuardedAdam(policy.trunk.parameters(), settings.policy_lr),
            "temperature": GuardedAdam([self.log_temperature], settings.temperature_lr),
        }

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make `policy_delay` critic steps, each on a slice, then a policy and a temperature step on the last slice."""
        step = self._update_critics(block, self.settings.actor_bc_weight)
        metrics = step.metrics | self.update_actor(step.features, step.batch)
        metrics |= self.update_temperature(metrics["entropy"])
        self._average_published()
        return metrics

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `update`, but let the policy clone the recorded actions instead of maximising Q.

        Cloning trains the encoder too: before a reward distinguishes the states, the critic's loss alone teaches it
        little about the features that the actions depend on.
        """
        step = self._update_critics(block, imitation=1.0)
        loss = self._cloning_loss(*self.policy.distribution(step.features), step.batch)
        self.optimizers["policy"].step(loss)
        self._average_published()
        return step.metrics | {"bc_loss": loss.detach()}

    def next_value(self, next_q: Tensor, log_prob: Tensor) -> Tensor:
        """Return the soft value (B,) of the next action, with `backup_entropy`."""
        return next_q - self.log_temperature.exp() * log_prob if self.settings.backup_entropy else next_q

    def update_actor(self, features: Tensor, batch: Batch) -> Metrics:
        """Make one step of the policy towards higher Q and entropy, plus imitation where it is configured."""
        mean, log_std = self.policy.distribution(features)
        action, log_prob = heads.sample(mean, log_std, self.noise)
        every_q = self.critic.q(features, action, frozen=True)
        q = every_q.mean(0) if self.settings.actor_q == "mean" else every_q.amin(0)
        loss = (self.log_temperature.detach().exp() * log_prob - q).mean()
        metrics = {"policy_loss": loss.detach()}
        if self.settings.actor_bc_weight > 0.0:
            bc_loss = self._imitation(features, batch, mean, log_std, q.detach())
            metrics["bc_loss"] = bc_loss.detach()
            loss = loss + self.settings.actor_bc_weight * bc_loss
        metrics["policy_gradient_norm"] = self.optimizers["policy"].step(loss)
        metrics["entropy"] = -log_prob.detach().mean()
        metrics["action_saturation"] = (action.detach().abs() > SATURATED).float().mean()
        return metrics

    def _imitation(self, features: Tensor, batch: Batch, mean: Tensor, log_std: Tensor, policy_q: Tensor) -> Tensor:
        worth = None
        if self.settings.actor_bc_q_filter:
            with torch.no_grad():
                worth = (self.critic.q(features, batch.action).mean(0) > policy_q).float()
        return self._cloning_loss(mean, log_std, batch, worth)

    def update_temperature(self, entropy: Tensor) -> Metrics:
        """Make one step of the temperature: down while the policy's entropy () in nats exceeds its target."""
        temperature = self.log_temperature.exp()
        self.optimizers["temperature"].step(temperature * (entropy - self.target_entropy))
        return {"temperature": temperature.detach()}

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights, critics and temperature."""
        return super().own_tensors() | {"log_temperature": self.log_temperature.detach()}
