"""Residual RLPD: a base that clones demonstrations and corrections, and a bounded correction of it that climbs Q.

The base is trained by imitation alone, online too: it learns a correction of the operator as HG-DAgger does
(arXiv 1810.02890), unless the critics see that it loses value, and without corrections it stays as it is. Reinforcement
learning decides only the change of its action. The change begins at zero and is bounded (residual RL, arXiv 1812.03201;
on cloned bases ResFiT, arXiv 2509.19301, and EXPO, arXiv 2507.07986), so a critic that is still wrong cannot take away
what was shown. The critics are those of RLPD (arXiv 2302.02948).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import CriticStep, EnsembleAlgorithm, EnsembleSettings
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.outcomes import Outcomes
from steadyhand.policies import Policy, PolicySpec
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["Residual", "ResidualSettings"]

SHRINKING = 3.0  # times as fast as growth, at a loss
UNPROVEN = 0.3  # of the scale, that a change may have before it is seen to gain
HALFWAY, MASTERED = 0.5, 0.9  # success of practice from which a change that gains may be larger, and may have its scale
SMALLEST_Q = 1e-3  # below it Q tells nothing yet, and a normalised gradient would be noise


@dataclass(frozen=True)
class ResidualSettings(EnsembleSettings):
    """Settings of residual RLPD."""

    residual_scale: float  # largest change of an entry of the base's action
    action_noise: float  # standard deviation of the actions in practice, before tanh
    residual_lr: float
    warm_updates: int  # blocks online in which the critics learn alone
    growth_updates: int  # blocks online over which the change grows from zero to its full scale, at the earliest
    growth_episodes: int  # episodes of practice, since its newest shrinking, over which it does so, at the earliest
    residual_penalty: float  # weight of the squared change, as a share of its scale, beside the normalised value
    base_pace: (
        float  # steps of the base a block online, for a share of corrections of 1 in the imitated rows; at most 1
    )
    correction_doubt: float  # how little a correction that loses value is imitated; 0 = all corrections count fully

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "residual_lr", "residual_scale", "action_noise")
        expect(self.residual_scale <= 2.0, "residual_scale", "at most 2, the width of the actions", self.residual_scale)
        expect_at_least(self, 0, "warm_updates", "residual_penalty", "base_pace", "correction_doubt")
        expect_at_least(self, 1, "growth_updates", "growth_episodes")

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
        self._share = policy.residual_share  # a parameter, so that actors get it with the weights; no loss trains it
        nn.init.zeros_(self._share)
        self._pace = torch.full((1,), 1.0 / settings.growth_updates, device=self.device)  # of the share, per block
        self._lost = torch.zeros(1, device=self.device)  # episodes that had ended when the share was last lowered
        self._kept = torch.zeros(1, device=self.device)  # of the share, from which it has grown since then
        self._due = torch.zeros(1, device=self.device)  # steps of the base that are due
        self._least = torch.zeros(1, device=self.device)  # of the share: the one that practice of this run began with
        self.optimizers |= {
            "policy": GuardedAdam(policy.trunk.parameters(), settings.policy_lr),
            "residual": GuardedAdam(policy.residual.parameters(), settings.residual_lr),
        }

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `update` without those of the residual network."""
        step = self._update_critics(block, imitation=1.0)
        worth = self.correction_worth(step)
        metrics = step.metrics | self.update_base(step, worth)
        self._average_published()
        return metrics

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make `policy_delay` critic steps, each on a slice, then one of the base and one of the residual network."""
        step = self._update_critics(block, imitation=1.0)
        worth = self.correction_worth(step)
        metrics = step.metrics | self.update_base(step, worth, self._base_is_due(step.batch, worth))
        metrics |= self.update_residual(step.features)
        self._made += 1
        with torch.no_grad():
            self._share.copy_(torch.maximum((self._share + self._pace).clamp(max=1.0), self._least))
            metrics["residual_share"] = self._share[0].clone()
        self._average_published()
        return metrics

    def start_from_weights(self) -> None:
        """Keep the share of the loaded weights as the smallest one: the first outcomes are those of a policy with it.

        A smaller share would be another policy than the one that practice is compared with, and a worse one.
        """
        self._least.copy_(self._share.detach())

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore as every algorithm does; what checkpoints of earlier releases lack is 0."""
        missing = {name: torch.zeros_like(self._share.detach()) for name in ("least", "lost", "kept", "due")}
        super().load_state_tensors(missing | dict(tensors))

    def heed(self, outcomes: Outcomes) -> None:
        """Let the change grow while practice succeeds as often as it did at first, and shrink while it does not.

        A small change needs no more than that. A larger one has to gain, and to the extent to which practice succeeds:
        where half of the episodes fail, neither the critics nor twenty outcomes can tell a good change from a bad one.
        A loss shrinks the change faster, and it has to earn all of its scale anew, because the critics need data of
        each scale before a larger one.
        """
        pace, share = 1.0 / self.settings.growth_updates, self._share.detach()
        if outcomes.is_loss:
            self._pace.fill_(-SHRINKING * pace)
            self._lost.fill_(outcomes.ended)
            self._kept.zero_()
        elif outcomes.newest < outcomes.first:
            self._pace.fill_(-pace)
            self._lost.fill_(outcomes.ended)
            self._kept.copy_(share)
        else:
            succeeds = min(max((outcomes.lasting - HALFWAY) / (MASTERED - HALFWAY), 0.0), 1.0)
            largest = UNPROVEN + (1.0 - UNPROVEN) * succeeds if outcomes.is_gain else UNPROVEN
            # Episodes that have not ended tell nothing yet.
            earned = self._kept + (outcomes.ended - self._lost) / self.settings.growth_episodes
            grows, shrinks = share < earned.clamp(max=largest), share > largest
            self._pace.copy_((grows.float() - shrinks.float()) * pace)

    def update_base(self, step: CriticStep, worth: Tensor, is_due: Tensor | None = None) -> Metrics:
        """Make one step of the base towards the recorded actions of demonstrations and corrections.

        Args:
            step: The newest step of the critics.
            worth: Weights (B,) of the rows.
            is_due: 0 leaves the base alone (); None = 1.
        """
        loss, metrics = self.imitation_loss(step.features, step.batch, worth)
        self.optimizers["policy"].step(loss, is_due)
        corrections = step.batch.is_correction.float()
        return metrics | {"correction_worth": (worth * corrections).sum() / corrections.sum().clamp(min=1.0)}

    @torch.no_grad()
    def _base_is_due(self, batch: Batch, worth: Tensor) -> Tensor | None:
        """Return 1 if the base takes a step in this block, else 0; None = in every block.

        It has learned the demonstrations before practice, and would only learn them by heart. So the more of the
        imitated rows are corrections of worth, the more often it steps. On a trained encoder it has to follow the
        features, and steps in every block.
        """
        if self._trains_encoder:
            return None
        share = (worth * batch.is_correction).sum() / batch.is_demo.sum().clamp(min=1)
        self._due += (self.settings.base_pace * share).clamp(max=1.0)
        is_due = (self._due >= 1.0).float()
        self._due -= is_due
        return is_due[0]

    @torch.no_grad()
    def correction_worth(self, step: CriticStep) -> Tensor:
        """Return the weights (B,) of the rows in the imitation: less than 1 for corrections that lose value.

        The loss is the policy's value less the target of the recorded action, an advantage over `n_step` steps. It is
        compared with what standing still would lose, since that is the same for every task: a correction that gets on
        as fast as the policy's value expects counts fully, one that loses `1 / correction_doubt` times as much as
        standing still does not count. The filter on demonstrations of arXiv 1709.10089 and CRR's on all data
        (arXiv 2006.15134) look at one step, over which a critic cannot tell a wrong way from its own error.
        """
        settings = self.settings
        mean, _, decisions = self.policy.outputs(step.features)
        action = self.policy.mixed.join(torch.tanh(mean), decisions)
        value = self.target_critic.q(step.features, action).amin(0)
        still = (1.0 - settings.gamma**settings.n_step) * value.abs() + SMALLEST_Q
        worth = (1.0 - settings.correction_doubt * (value - step.target) / still).clamp(0.0, 1.0)
        worth = worth.nan_to_num(0.0)  # a target that is not finite speaks for nothing
        return torch.where(step.batch.is_correction, worth, 1.0)

    def update_residual(self, features: Tensor) -> Metrics:
        """Make one step of the residual network towards higher Q, in units of the mean Q.

        The division makes a task's step as large with long episodes, whose values are small, as with short ones
        (TD3+BC, arXiv 2106.06860, equation 5).
        """
        with torch.no_grad():
            mean, _, logits = self.policy.clone(features)
            decisions = self.policy.decisions(features, logits)
        change = self.policy.change(features, mean)
        motion = torch.tanh(self.policy.changed(mean, change))
        q = self.critic.q(features, self.policy.mixed.join(motion, decisions), frozen=True).amin(0)
        waits = (self._made < self.settings.warm_updates).float()
        size = q.detach().abs().mean().clamp(min=SMALLEST_Q)
        cost = self.settings.residual_penalty * change.square().sum(-1).mean()
        loss = (1.0 - waits) * (cost - q.mean() / size)
        norm = self.optimizers["residual"].step(loss)
        moved = (motion.detach() - torch.tanh(mean)).abs().mean()
        return {"policy_loss": loss.detach(), "policy_gradient_norm": norm, "residual_change": moved}

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights, the critics, and the progress of the change."""
        growth = {"made": self._made, "pace": self._pace, "least": self._least, "lost": self._lost, "kept": self._kept}
        return super().own_tensors() | growth | {"due": self._due}
