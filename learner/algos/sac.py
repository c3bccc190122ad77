"""Soft actor-critic over mixed online and demo rows; with RLPD's numbers it is RLPD (arXiv 2302.02948)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from steadyhand.learner.algos.algorithm import Algorithm, AlgorithmSettings, Metrics, Sampling, TdSettings
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.bc import CloningLoss, cloning_loss
from steadyhand.learner.algos.critic import CriticEnsemble, CriticSettings
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, heads
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["Sac", "SacSettings"]

Penalty = Callable[[Tensor, Batch, Tensor], Tensor]
SATURATED = 0.99  # an action component beyond this counts as saturated in the metrics


@dataclass(frozen=True)
class SacSettings(CriticSettings, TdSettings):
    """Settings of soft actor-critic. RLPD is this with other numbers."""

    num_min: int  # target critics drawn for each step's minimum
    target_clip: tuple[float, float] | None  # reachable returns; null = targets are not clipped
    backup_entropy: bool  # the target includes the entropy of the next action
    tau: float  # step of the target critics' moving average
    # Policy and temperature.
    policy_delay: int  # critic steps in a block, after which the policy and the temperature take one step each
    actor_q: Literal["mean", "min"]  # over all critics, in the policy's objective
    init_temperature: float  # first weight of the entropy
    target_entropy: float | None  # nats; null = -action_size / 2
    actor_bc_weight: float  # weight of imitating the demo and human rows; 0 = off
    actor_bc_loss: CloningLoss  # of those rows; also the loss of pretraining
    actor_bc_q_filter: bool  # imitate only rows whose recorded action has the higher Q
    policy_ema: float  # step of the published weights' moving average; 0 = publish the weights themselves
    # Optimisers.
    critic_lr: float
    policy_lr: float
    temperature_lr: float

    def __post_init__(self) -> None:
        TdSettings.__post_init__(self)
        CriticSettings.__post_init__(self)
        expect_at_least(self, 1, "policy_delay")
        expect_above(self, 0.0, "init_temperature", "critic_lr", "policy_lr", "temperature_lr", "tau")
        expect_at_least(self, 0, "actor_bc_weight")
        expect_within(self, 0.0, 1.0, "tau", "policy_ema")
        expect(1 <= self.num_min <= self.num_critics, "num_min", f"within 1..{self.num_critics}", self.num_min)
        clip = self.target_clip
        expect(clip is None or clip[0] < clip[1], "target_clip", "null or [low, high], low < high", clip)

    @property
    def sampling(self) -> Sampling:
        """Each of the `policy_delay` critic steps has a batch of its own."""
        return replace(super().sampling, slices=self.policy_delay)

    @property
    def target_ranges(self) -> dict[str, tuple[float, float]]:
        """The clip of the targets, and the range of a classifying head."""
        clip = {} if self.target_clip is None else {"algo.target_clip": self.target_clip}
        return clip | self.head_ranges


class Sac(Algorithm[SacSettings]):
    """A policy, an ensemble of critics with their targets, and a temperature.

    The encoder belongs to the policy. The critic's loss trains it, and so does the imitation loss in pretraining and,
    with `actor_bc_weight`, online. The policy sees its features without gradient. The
    moving average covers the critics, not the encoder, so a frame is encoded once.

    Args:
        settings: The algorithm's numbers.
        policy: Trained in place; its device is the device of everything here.
        seed: Fixes the critics' weights and all noise.
    """

    settings_type: ClassVar[type[AlgorithmSettings]] = SacSettings

    def __init__(self, settings: SacSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        config = settings
        action_size = policy.spec.action_size
        input_size = policy.feature_size + action_size
        critics = [CriticEnsemble(config, input_size, torch.Generator().manual_seed(seed)) for _ in range(2)]
        self.critic, self.target_critic = (critic.to(self.device) for critic in critics)
        self.target_critic.requires_grad_(False)
        self._critic_tensors = [p.detach() for p in self.critic.parameters()]
        self._target_tensors = [p.detach() for p in self.target_critic.parameters()]

        self.log_temperature = nn.Parameter(torch.tensor(math.log(config.init_temperature), device=self.device))
        self.target_entropy = -action_size / 2 if config.target_entropy is None else config.target_entropy

        encoder = [p for p in policy.encoders.parameters() if p.requires_grad]
        self._trains_encoder = bool(encoder)
        self.optimizers = {
            "critic": GuardedAdam([*self.critic.parameters(), *encoder], config.critic_lr),
            "policy": GuardedAdam(policy.trunk.parameters(), config.policy_lr),
            "temperature": GuardedAdam([self.log_temperature], config.temperature_lr),
        }
        self._published = {name: value.clone() for name, value in self._trained.items()}

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make `policy_delay` critic steps, each on a slice, then a policy and a temperature step on the last slice."""
        features, batch, metrics = self._update_critics(block, self.settings.actor_bc_weight)
        metrics |= self.update_actor(features, batch)
        metrics |= self.update_temperature(metrics["entropy"])
        self._average_published()
        return metrics

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `update`, but let the policy clone the recorded actions instead of maximising Q.

        Cloning trains the encoder too: before a reward distinguishes the states, the critic's loss alone teaches it
        little about the features that the actions depend on.
        """
        features, batch, metrics = self._update_critics(block, imitation=1.0)
        loss = self._cloning_loss(*self.policy.distribution(features), batch)
        self.optimizers["policy"].step(loss)
        self._average_published()
        return metrics | {"bc_loss": loss.detach()}

    def _update_critics(
        self, block: Mapping[str, Any], imitation: float, penalty: Penalty | None = None
    ) -> tuple[Tensor, Batch, Metrics]:
        for batch in Batch.from_block(block, self.device).slices(self.settings.policy_delay):
            batch = batch.shifted(self.settings.image_shift, self.generator)
            features, metrics = self.update_critic(batch, imitation, penalty)
        return features, batch, metrics

    def update_critic(
        self, batch: Batch, imitation: float = 0.0, penalty: Penalty | None = None
    ) -> tuple[Tensor, Metrics]:
        """Make one step of all critics and the encoder, then one step of the target critics.

        Args:
            batch: One slice.
            imitation: Weight of imitating the demo rows in the encoder's loss.
            penalty: Added to the critics' loss; a function of the features (B, F), the batch and the critics' Q (N, B).

        Returns:
            The features (B, F) of the observation without gradient, and metrics.
        """
        target = self.td_target(batch)
        features = self.policy.features(batch.observation, self.generator)
        raw = self.critic(features, batch.action)
        loss = self.critic.head.loss(raw, target)
        if penalty is not None:
            loss = loss + penalty(features, batch, self.critic.head.value(raw))
        encoder_loss = loss
        if imitation > 0.0 and self._trains_encoder:
            encoder_loss = loss + imitation * self._cloning_loss(*self.policy.distribution(features), batch)
        norm = self.optimizers["critic"].step(encoder_loss)
        torch._foreach_lerp_(self._target_tensors, self._critic_tensors, self.settings.tau)
        with torch.no_grad():
            q = self.critic.head.value(raw)
            metrics = {
                "critic_loss": loss.detach(),
                "critic_gradient_norm": norm,
                "q_mean": q.mean(),
                "q_max": q.max(),
                "target_mean": target.mean(),
                "demo_share": batch.is_demo.float().mean(),
            }
        return features.detach(), metrics

    @torch.no_grad()
    def td_target(self, batch: Batch) -> Tensor:
        """The target (B,), one for all critics: reward plus the discounted minimum over a drawn subset."""
        features = self.policy.features(batch.next_observation)
        action, log_prob = heads.sample(*self.policy.distribution(features), self.generator)
        next_q = self.target_critic.q(features, action, self.draw_members()).amin(0)
        if self.settings.backup_entropy:
            next_q = next_q - self.log_temperature.exp() * log_prob
        target = batch.reward + batch.discount * next_q
        return target if self.settings.target_clip is None else target.clamp(*self.settings.target_clip)

    def draw_members(self) -> Tensor | None:
        """Indices (num_min,) of distinct target critics, drawn afresh; None = all, nothing to draw."""
        if self.settings.num_min == self.settings.num_critics:
            return None
        order = torch.randperm(self.settings.num_critics, generator=self.generator, device=self.device)
        return order[: self.settings.num_min]

    def update_actor(self, features: Tensor, batch: Batch) -> Metrics:
        """Make one step of the policy towards higher Q and entropy, plus imitation where it is configured."""
        mean, log_std = self.policy.distribution(features)
        action, log_prob = heads.sample(mean, log_std, self.generator)
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

    def _cloning_loss(self, mean: Tensor, log_std: Tensor, batch: Batch, worth: Tensor | None = None) -> Tensor:
        """Return the imitation loss of the demo rows, averaged with the weights (B,) of the rows; 0 without any."""
        rows = batch.is_demo.float() if worth is None else batch.is_demo * worth
        loss = cloning_loss(self.settings.actor_bc_loss, mean, log_std, batch.action)
        return (rows * loss).sum() / rows.sum().clamp(min=1.0)

    def update_temperature(self, entropy: Tensor) -> Metrics:
        """Make one step of the temperature: down while the policy's entropy () in nats exceeds its target."""
        temperature = self.log_temperature.exp()
        self.optimizers["temperature"].step(temperature * (entropy - self.target_entropy))
        return {"temperature": temperature.detach()}

    def _average_published(self) -> None:
        if self.settings.policy_ema > 0.0:
            torch._foreach_lerp_(list(self._published.values()), list(self._trained.values()), self.settings.policy_ema)

    def published(self) -> Mapping[str, Tensor]:
        """The trained weights, or their moving average with `policy_ema`."""
        return self._published if self.settings.policy_ema > 0.0 else self._trained

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights, critics and temperature."""
        tensors = {f"published/{name}": value for name, value in self._published.items()}
        tensors |= {f"critic/{name}": value.detach() for name, value in self.critic.named_parameters()}
        tensors |= {f"target_critic/{name}": value for name, value in self.target_critic.named_parameters()}
        return tensors | {"log_temperature": self.log_temperature.detach()}

    def dense_modules(self) -> Iterable[nn.Module]:
        """The critics and their targets."""
        return (self.critic, self.target_critic)
