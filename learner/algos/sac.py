"""Soft actor-critic over mixed online and demo rows; with RLPD's numbers it is RLPD (arXiv 2302.02948)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.bc import cloning_loss
from steadyhand.learner.algos.critic import CriticEnsemble
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.config import SacConfig
from steadyhand.policies import Policy, heads

__all__ = ["Sac"]

SATURATED = 0.99  # an action component beyond this counts as saturated in the metrics


class Sac:
    """A policy, an ensemble of critics with their targets, and a temperature.

    The encoder belongs to the policy and is trained by the critic's loss and, as far as there is imitation, by that of
    imitation: in pretraining, and online with `actor_bc_weight`. The policy sees its features without gradient. The
    moving average covers the critics, not the encoder, so a frame is encoded once.

    Args:
        config: the algorithm's numbers.
        policy: trained in place; its device is the device of everything here.
        seed: fixes the critics' weights and all noise.

    Attributes:
        generator: of all noise, on the policy's device.
    """

    def __init__(self, config: SacConfig, policy: Policy, seed: int) -> None:
        self.config = config
        self.policy = policy
        self.device = policy.mean.device
        self.generator = torch.Generator(self.device).manual_seed(seed)
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
        self._trained = {name: p.detach() for name, p in policy.named_parameters() if p.requires_grad}
        self._published = {name: value.clone() for name, value in self._trained.items()}

    def update(self, block: Mapping[str, Any]) -> dict[str, Tensor]:
        """`policy_delay` critic steps on as many slices, then one policy and one temperature step on the last.

        Args:
            block: rows (policy_delay * batch_size, ...) with the fields of `Batch`.

        Returns:
            Metrics as tensors (), left on the device until somebody reads them.
        """
        features, batch, metrics = self._update_critics(block, self.config.actor_bc_weight)
        metrics |= self.update_actor(features, batch)
        metrics |= self.update_temperature(metrics["entropy"])
        self._average_published()
        return metrics

    def pretrain(self, block: Mapping[str, Any]) -> dict[str, Tensor]:
        """As `update`, but the policy clones the recorded actions instead of climbing Q.

        Cloning trains the encoder too: before there is a reward to tell states apart, the critic's loss alone teaches
        it little of what the actions depend on.
        """
        features, batch, metrics = self._update_critics(block, imitation=1.0)
        loss = self._cloning_loss(*self.policy.distribution(features), batch)
        self.optimizers["policy"].step(loss)
        self._average_published()
        return metrics | {"bc_loss": loss.detach()}

    def _update_critics(self, block: Mapping[str, Any], imitation: float) -> tuple[Tensor, Batch, dict[str, Tensor]]:
        for batch in Batch.from_block(block, self.device).slices(self.config.policy_delay):
            batch = batch.shifted(self.config.image_shift, self.generator)
            features, metrics = self.update_critic(batch, imitation)
        return features, batch, metrics

    def update_critic(self, batch: Batch, imitation: float = 0.0) -> tuple[Tensor, dict[str, Tensor]]:
        """One step of all critics and the encoder, then one step of the target critics.

        Args:
            batch: one slice.
            imitation: weight of imitating the demo rows in what the encoder learns.

        Returns:
            The features (B, F) of the observation without gradient, and metrics.
        """
        target = self.td_target(batch)
        features = self.policy.features(batch.observation, self.generator)
        raw = self.critic(features, batch.action)
        loss = self.critic.head.loss(raw, target)
        encoder_loss = loss
        if imitation > 0.0 and self._trains_encoder:
            encoder_loss = loss + imitation * self._cloning_loss(*self.policy.distribution(features), batch)
        norm = self.optimizers["critic"].step(encoder_loss)
        torch._foreach_lerp_(self._target_tensors, self._critic_tensors, self.config.tau)
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
        if self.config.backup_entropy:
            next_q = next_q - self.log_temperature.exp() * log_prob
        target = batch.reward + batch.discount * next_q
        return target if self.config.target_clip is None else target.clamp(*self.config.target_clip)

    def draw_members(self) -> Tensor | None:
        """Indices (num_min,) of distinct target critics, drawn afresh; None = all, nothing to draw."""
        if self.config.num_min == self.config.num_critics:
            return None
        order = torch.randperm(self.config.num_critics, generator=self.generator, device=self.device)
        return order[: self.config.num_min]

    def update_actor(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """One step of the policy up the critics' Q and its own entropy, plus imitation where it is asked for."""
        mean, log_std = self.policy.distribution(features)
        action, log_prob = heads.sample(mean, log_std, self.generator)
        every_q = self.critic.q(features, action, frozen=True)
        q = every_q.mean(0) if self.config.actor_q == "mean" else every_q.amin(0)
        loss = (self.log_temperature.detach().exp() * log_prob - q).mean()
        metrics = {"policy_loss": loss.detach()}
        if self.config.actor_bc_weight > 0.0:
            bc_loss = self._imitation(features, batch, mean, log_std, q.detach())
            metrics["bc_loss"] = bc_loss.detach()
            loss = loss + self.config.actor_bc_weight * bc_loss
        metrics["policy_gradient_norm"] = self.optimizers["policy"].step(loss)
        metrics["entropy"] = -log_prob.detach().mean()
        metrics["action_saturation"] = (action.detach().abs() > SATURATED).float().mean()
        return metrics

    def _imitation(self, features: Tensor, batch: Batch, mean: Tensor, log_std: Tensor, policy_q: Tensor) -> Tensor:
        worth = None
        if self.config.actor_bc_q_filter:
            with torch.no_grad():
                worth = (self.critic.q(features, batch.action).mean(0) > policy_q).float()
        return self._cloning_loss(mean, log_std, batch, worth)

    def _cloning_loss(self, mean: Tensor, log_std: Tensor, batch: Batch, worth: Tensor | None = None) -> Tensor:
        """Imitation of the demo rows, averaged over those that are worth (B,) it; 0 without any."""
        rows = batch.is_demo.float() if worth is None else batch.is_demo * worth
        loss = cloning_loss(self.config.actor_bc_loss, mean, log_std, batch.action)
        return (rows * loss).sum() / rows.sum().clamp(min=1.0)

    def update_temperature(self, entropy: Tensor) -> dict[str, Tensor]:
        """One step of the temperature: down while the policy's entropy () in nats exceeds its target."""
        temperature = self.log_temperature.exp()
        self.optimizers["temperature"].step(temperature * (entropy - self.target_entropy))
        return {"temperature": temperature.detach()}

    def _average_published(self) -> None:
        if self.config.policy_ema > 0.0:
            torch._foreach_lerp_(list(self._published.values()), list(self._trained.values()), self.config.policy_ema)

    def skipped(self) -> int:
        """Optimiser steps left out so far because a loss or a gradient was not finite."""
        return sum(int(optimizer.skipped.item()) for optimizer in self.optimizers.values())

    def policy_tensors(self) -> dict[str, np.ndarray]:
        """A copy of the weights to publish: the trained ones, or their moving average with `policy_ema`."""
        source = self._published if self.config.policy_ema > 0.0 else self._trained
        return {name: value.cpu().numpy().copy() for name, value in source.items()}

    def state_tensors(self) -> dict[str, Tensor]:
        """Everything a bit-for-bit resume needs, by name; views, not copies."""
        tensors = {f"policy/{name}": value for name, value in self._trained.items()}
        tensors |= {f"published/{name}": value for name, value in self._published.items()}
        tensors |= {f"critic/{name}": value.detach() for name, value in self.critic.named_parameters()}
        tensors |= {f"target_critic/{name}": value for name, value in self.target_critic.named_parameters()}
        tensors["log_temperature"] = self.log_temperature.detach()
        for owner, optimizer in self.optimizers.items():
            tensors |= {f"optimizer/{owner}/{name}": value for name, value in optimizer.state_tensors().items()}
        tensors["generator"] = self.generator.get_state()
        return tensors

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore what `state_tensors` gave, into a `Sac` of the same configuration."""
        own = self.state_tensors()
        differing = sorted(own.keys() ^ tensors.keys())
        differing += sorted(name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape)
        if differing:
            raise ValueError(
                f"checkpoint: {differing[:3]} do not fit; it was written with another policy or algo config"
            )
        for name, value in own.items():
            value.copy_(tensors[name])
        self.generator.set_state(tensors["generator"].cpu())
