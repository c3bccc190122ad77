"""An ensemble of critics with target critics, trained on n-step TD targets; the algorithms differ in their policies.

The ensemble, its random subset and the normalised layers are RLPD's (arXiv 2302.02948, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm, Metrics, Sampling, TdSettings, detached
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.bc import CloningLoss, cloning_loss
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, heads
from steadyhand.policies.critic import CriticEnsemble, CriticSettings, follow
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["CriticStep", "EnsembleAlgorithm", "EnsembleSettings", "NextStep", "Penalty", "imitated"]

Penalty = Callable[[Tensor, Batch, Tensor], Tensor]


@dataclass(frozen=True)
class EnsembleSettings(CriticSettings, TdSettings):
    """Settings of the critics and of their targets."""

    num_min: int  # target critics drawn for each step's minimum
    target_clip: tuple[float, float] | None  # reachable returns; null = targets are not clipped
    tau: float  # step of the target critics' moving average
    takeover_value: float  # share of its value that the policy keeps where a person takes over; 0 = help is a failure
    policy_delay: int  # critic steps in a block, after which the policy takes one step
    policy_ema: float  # step of the published weights' moving average; 0 = publish the weights themselves
    actor_bc_loss: CloningLoss  # of imitating the demo and human rows, in pretraining too
    critic_lr: float
    policy_lr: float

    def __post_init__(self) -> None:
        TdSettings.__post_init__(self)
        CriticSettings.__post_init__(self)
        expect_at_least(self, 1, "policy_delay")
        expect_above(self, 0.0, "critic_lr", "policy_lr", "tau")
        expect_within(self, 0.0, 1.0, "tau", "policy_ema", "takeover_value")
        expect(1 <= self.num_min <= self.num_critics, "num_min", f"within 1..{self.num_critics}", self.num_min)
        clip = self.target_clip
        expect(clip is None or clip[0] < clip[1], "target_clip", "null or [low, high], low < high", clip)

    @property
    def sampling(self) -> Sampling:
        """Each of the `policy_delay` critic steps has a batch of its own."""
        return replace(super().sampling, slices=self.policy_delay, takeover_value=self.takeover_value)

    @property
    def target_ranges(self) -> dict[str, tuple[float, float]]:
        """The clip of the targets, and the range of a classifying head."""
        clip = {} if self.target_clip is None else {"algo.target_clip": self.target_clip}
        return clip | self.head_ranges


class NextStep(NamedTuple):
    """Features of the next observation and the policy's distribution there, of C continuous and D discrete entries."""

    features: Tensor  # (B, F)
    mean: Tensor  # (B, C) before tanh
    log_std: Tensor  # (B, C) before tanh
    decisions: Tensor  # (B, D) int64


class CriticStep(NamedTuple):
    """Result of one step of the critics, for that of the policy; without gradient."""

    batch: Batch
    features: Tensor  # (B, F) of the observation
    target: Tensor  # (B,) TD target of the recorded action
    metrics: Metrics


S = TypeVar("S", bound=EnsembleSettings)


class EnsembleAlgorithm(Algorithm[S]):
    """A policy and an ensemble of critics with their targets.

    The encoder belongs to the policy. The critics' loss trains it, and so does the imitation loss where there is one.
    The policy sees its features without gradient. The moving average covers the critics, not the encoder, so a frame is
    encoded once. A subclass adds the optimisers of the policy's parts to `optimizers`.

    Args:
        settings: The algorithm's numbers.
        policy: Trained in place; its device is the device of everything here.
        seed: Fixes the critics' weights and all noise.
    """

    def __init__(self, settings: S, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        input_size = policy.feature_size + policy.spec.action_size
        critics = [CriticEnsemble(settings, input_size, torch.Generator().manual_seed(seed)) for _ in range(2)]
        self.critic, self.target_critic = (critic.to(self.device) for critic in critics)
        self.target_critic.requires_grad_(False)
        encoder = [p for p in policy.encoders.parameters() if p.requires_grad]
        self._trains_encoder = bool(encoder)
        self.optimizers = {"critic": GuardedAdam([*self.critic.parameters(), *encoder], settings.critic_lr)}
        self._published = {name: value.clone() for name, value in detached(self._trained).items()}

    def _update_critics(self, block: Mapping[str, Any], imitation: float, penalty: Penalty | None = None) -> CriticStep:
        """Make `policy_delay` critic steps; returns the last one."""
        for batch in Batch.from_block(block, self.device).slices(self.settings.policy_delay):
            step = self.update_critic(batch.shifted(self.settings.image_shift, self.noise), imitation, penalty)
        return step

    def update_critic(self, batch: Batch, imitation: float = 0.0, penalty: Penalty | None = None) -> CriticStep:
        """Make one step of all critics and the encoder, then one step of the target critics.

        Args:
            batch: One slice.
            imitation: Weight of imitating the demo rows in the encoder's loss.
            penalty: Added to the critics' loss; a function of the features (B, F), the batch and the critics' Q (N, B).
        """
        later = self.next_step(batch)
        target = self.td_target(batch, later)
        features = self.policy.features(batch.observation, self.noise)
        raw = self.critic(features, batch.action)
        loss = self.critic.head.loss(raw, target)
        if penalty is not None:
            loss = loss + penalty(features, batch, self.critic.head.value(raw))
        beside, metrics = self.loss_beside(batch, features, later)
        encoder_loss = loss + beside
        if imitation > 0.0 and self._trains_encoder:
            encoder_loss = encoder_loss + imitation * self.imitation_loss(features, batch)[0]
        norm = self.optimizers["critic"].step(encoder_loss)
        with torch.no_grad():
            follow(self.target_critic, self.critic, self.settings.tau)
            q = self.critic.head.value(raw)
            metrics |= {
                "critic_loss": loss.detach(),
                "critic_gradient_norm": norm,
                "q_mean": q.mean(),
                "q_max": q.max(),
                "target_mean": target.mean(),
                "demo_share": batch.is_demo.float().mean(),
            }
        return CriticStep(batch, features.detach(), target, metrics)

    @torch.no_grad()
    def next_step(self, batch: Batch) -> NextStep:
        """Return the features of the next observation and the policy's distribution there, without gradient."""
        features = self.policy.features(batch.next_observation)
        return NextStep(features, *self.policy.outputs(features))

    @torch.no_grad()
    def td_target(self, batch: Batch, later: NextStep | None = None) -> Tensor:
        """The target (B,), one for all critics: reward plus the discounted minimum over a drawn subset.

        Args:
            batch: One slice.
            later: Its next step; None = not computed yet.
        """
        later = self.next_step(batch) if later is None else later
        motion, log_prob = heads.sample(later.mean, later.log_std, self.noise)
        action = self.policy.mixed.join(motion, later.decisions)
        next_q = self.next_value(self.target_critic.q(later.features, action, self.draw_members()).amin(0), log_prob)
        target = batch.reward + batch.discount * next_q
        return target if self.settings.target_clip is None else target.clamp(*self.settings.target_clip)

    def loss_beside(self, batch: Batch, features: Tensor, later: NextStep) -> tuple[Tensor, Metrics]:
        """Return a loss () that a subclass adds to the critics', and its metrics; by default 0.

        Args:
            batch: One slice.
            features: Features (B, F) of the observation; a gradient trains the encoder.
            later: Its next step.
        """
        return features.new_zeros(()), {}

    def next_value(self, next_q: Tensor, log_prob: Tensor) -> Tensor:
        """Return the value (B,) of the next action from its Q (B,) and its log density (B,)."""
        return next_q

    @torch.no_grad()
    def estimate(self, observation: Mapping[str, Tensor], action: Tensor) -> Tensor:
        """The smallest of the critics' values (B,)."""
        return self.critic.q(self.policy.features(observation), action).amin(0)

    def draw_members(self) -> Tensor | None:
        """Indices (num_min,) of distinct target critics, drawn afresh; None = all, nothing to draw."""
        if self.settings.num_min == self.settings.num_critics:
            return None
        return self.noise.order(self.settings.num_critics)[: self.settings.num_min]

    def imitation_loss(self, features: Tensor, batch: Batch, worth: Tensor | None = None) -> tuple[Tensor, Metrics]:
        """Return the loss () of the base's imitation of demonstrations and corrections, and its metrics.

        Args:
            features: Features (B, F) of the observation.
            batch: The batch of B rows.
            worth: Weights (B,) of the rows; None = all 1.
        """
        loss = self._cloning_loss(*self.policy.base(features), batch, worth)
        return loss, {"bc_loss": loss.detach()}

    def _cloning_loss(self, mean: Tensor, log_std: Tensor, batch: Batch, worth: Tensor | None = None) -> Tensor:
        """Return the imitation loss of the demo rows, averaged with the weights (B,) of the rows; 0 without any."""
        rows = imitated(batch, worth)
        action = self.policy.mixed.motion(batch.action)
        loss = cloning_loss(self.settings.actor_bc_loss, mean, log_std, action)
        return (rows * loss).sum() / rows.sum().clamp(min=1.0)

    @torch.no_grad()
    def _average_published(self) -> None:
        if self.settings.policy_ema > 0.0:
            torch._foreach_lerp_(list(self._published.values()), list(self._trained.values()), self.settings.policy_ema)

    def published(self) -> Mapping[str, Tensor]:
        """The trained weights, or their moving average with `policy_ema`."""
        return self._published if self.settings.policy_ema > 0.0 else super().published()

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights and the critics."""
        tensors = {f"published/{name}": value for name, value in self._published.items()}
        tensors |= detached({f"critic/{name}": value for name, value in self.critic.named_parameters()})
        return tensors | {f"target_critic/{name}": value for name, value in self.target_critic.named_parameters()}


def imitated(batch: Batch, worth: Tensor | None) -> Tensor:
    """Return the weights (B,) of the rows in an imitation loss; `worth` (B,), None = 1 for each demo row."""
    return batch.is_demo.float() if worth is None else batch.is_demo * worth
