"""Implicit Q-learning (Kostrikov et al., arXiv 2110.06169): values from recorded actions alone.

No critic is evaluated on an action that was not recorded, so the algorithm learns from any log, good or bad, without
a conservative term. The policy clones recorded actions, each weighted by its advantage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm, Metrics, TdSettings, detached
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.bc import CloningLoss, cloning_loss
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy
from steadyhand.policies.critic import CriticEnsemble, CriticSettings, follow
from steadyhand.runtime.ranges import expect, expect_above, expect_within

__all__ = ["Iql", "IqlSettings", "advantage_weight", "expectile_loss"]


@dataclass(frozen=True)
class IqlSettings(CriticSettings, TdSettings):
    """Settings of implicit Q-learning."""

    expectile: float  # of the value function: 0.5 = the mean over recorded actions, near 1 = the best of them
    advantage_scale: float  # inverse temperature of the policy's weights (beta); 0 = behaviour cloning
    max_weight: float  # largest weight of a row
    actor_loss: CloningLoss  # of the rows that are weighted
    target_clip: tuple[float, float] | None  # reachable returns; null = targets are not clipped
    tau: float  # step of the target critics' moving average
    critic_lr: float
    policy_lr: float

    def __post_init__(self) -> None:
        TdSettings.__post_init__(self)
        CriticSettings.__post_init__(self)
        expect_within(self, 0.5, 1.0, "expectile")
        expect(self.expectile < 1.0, "expectile", "below 1", self.expectile)
        expect(self.advantage_scale >= 0.0, "advantage_scale", "at least 0", self.advantage_scale)
        expect_above(self, 0.0, "max_weight", "tau", "critic_lr", "policy_lr")
        clip = self.target_clip
        expect(clip is None or clip[0] < clip[1], "target_clip", "null or [low, high], low < high", clip)

    @property
    def target_ranges(self) -> dict[str, tuple[float, float]]:
        """The clip of the targets, and the range of a classifying head."""
        clip = {} if self.target_clip is None else {"algo.target_clip": self.target_clip}
        return clip | self.head_ranges


def expectile_loss(error: Tensor, expectile: float) -> Tensor:
    """Asymmetric squared error () of target - value (B,): too low a value weighs `expectile` (equation 5)."""
    weight = torch.where(error > 0.0, expectile, 1.0 - expectile)
    return (weight * error.square()).mean()


def advantage_weight(advantage: Tensor, scale: float, largest: float) -> Tensor:
    """Weight (B,) of each recorded action in the policy's loss: exp(scale * advantage), bounded (equation 7)."""
    return torch.exp(scale * advantage).clamp(max=largest)


class Iql(Algorithm[IqlSettings]):
    """A policy, a critic ensemble with its target, and a state value.

    Args:
        settings: The algorithm's numbers.
        policy: Trained in place.
        seed: Fixes initial weights and image shifts.
    """

    settings_type = IqlSettings

    def __init__(self, settings: IqlSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)

        def ensemble(size: int) -> CriticEnsemble:
            return CriticEnsemble(settings, size, torch.Generator().manual_seed(seed)).to(self.device)

        with_action = policy.feature_size + policy.spec.action_size
        self.critic, self.target_critic = ensemble(with_action), ensemble(with_action)
        self.target_critic.requires_grad_(False)
        self.value = ensemble(policy.feature_size)
        encoder = [p for p in policy.encoders.parameters() if p.requires_grad]
        self.optimizers = {
            "critic": GuardedAdam([*self.critic.parameters(), *encoder], settings.critic_lr),
            "value": GuardedAdam(self.value.parameters(), settings.critic_lr),
            "policy": GuardedAdam(policy.trunk.parameters(), settings.policy_lr),
        }

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make one step of the value, of the critics and of the policy, all on the same rows."""
        batch = Batch.from_block(block, self.device).shifted(self.settings.image_shift, self.noise)
        features = self.policy.features(batch.observation, self.noise)
        seen = features.detach()
        with torch.no_grad():
            target_q = self.target_critic.q(seen, batch.action).amin(0)
            next_features = self.policy.features(batch.next_observation)
        value = self.state_value(seen)
        advantage = target_q - value.mean(0).detach()
        value_loss = torch.stack([expectile_loss(target_q - one, self.settings.expectile) for one in value]).mean()
        target = self.td_target(batch, next_features)
        critic_loss = self.critic.head.loss(self.critic(features, batch.action), target)
        weight = advantage_weight(advantage, self.settings.advantage_scale, self.settings.max_weight)
        mean, log_std = self.policy.distribution(seen)
        loss = cloning_loss(self.settings.actor_loss, mean, log_std, batch.action)
        policy_loss = (weight * loss).mean()
        self.optimizers["value"].step(value_loss)
        critic_norm = self.optimizers["critic"].step(critic_loss)
        policy_norm = self.optimizers["policy"].step(policy_loss)
        follow(self.target_critic, self.critic, self.settings.tau)
        return {
            "critic_loss": critic_loss.detach(),
            "value_loss": value_loss.detach(),
            "policy_loss": policy_loss.detach(),
            "critic_gradient_norm": critic_norm,
            "policy_gradient_norm": policy_norm,
            "q_mean": target_q.mean(),
            "target_mean": target.mean(),
            "advantage_std": advantage.std(),
            "weight_max": weight.max(),
            "demo_share": batch.is_demo.float().mean(),
        }

    def state_value(self, features: Tensor) -> Tensor:
        """The value (N, B) of features (B, F), one for each network of the ensemble."""
        return self.value.q(features, features[:, :0])

    @torch.no_grad()
    def estimate(self, observation: Mapping[str, Tensor], action: Tensor) -> Tensor:
        """The smallest of the critics' values (B,)."""
        return self.critic.q(self.policy.features(observation), action).amin(0)

    @torch.no_grad()
    def td_target(self, batch: Batch, next_features: Tensor) -> Tensor:
        """The critics' target (B,): reward plus the discounted value of the next state (equation 6)."""
        target = batch.reward + batch.discount * self.state_value(next_features).mean(0)
        return target if self.settings.target_clip is None else target.clamp(*self.settings.target_clip)

    def own_tensors(self) -> dict[str, Tensor]:
        """Critics, their targets and the value."""
        parts = {"critic": self.critic, "target_critic": self.target_critic, "value": self.value}
        owned = {f"{part}/{name}": p for part, module in parts.items() for name, p in module.named_parameters()}
        return detached(owned)
