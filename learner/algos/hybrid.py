"""Residual RLPD whose grippers are decisions: close, stay or open, chosen by a clone and a discrete critic.

The discrete critic is HIL-SERL's (arXiv 2410.21845): a double DQN (arXiv 1509.06461) over the three decisions of each
gripper, trained in the same block as the continuous critics, with a penalty on every change of a gripper's state. It
does not decide alone here. A decision maximises the critic's value less a cost of deciding otherwise than the clone,
which is bounded like the residual of the motions: a decision that the clone is certain of is overruled by an advantage
of `decision_margin`, in units of the mean value. The critic's weight starts at zero and grows with the bound of the
residual, so the decisions begin as cloned.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import CriticStep, NextStep, Penalty, imitated
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.algos.residual import SMALLEST_Q, Residual, ResidualSettings
from steadyhand.policies import Policy, PolicySpec, PolicySpecError
from steadyhand.policies.critic import follow
from steadyhand.policies.mixed_action import CLOSE, DECISIONS, OPEN, STAY
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["Hybrid", "HybridSettings"]


@dataclass(frozen=True)
class HybridSettings(ResidualSettings):
    """Settings of the hybrid agent."""

    gripper_entries: tuple[int, ...]  # entries of an action that are decided; () = those that the records name
    gripper_penalty: float  # reward that a change of a gripper's state costs, in the discrete critic alone
    decision_margin: float  # advantage, in units of the mean value, that overrules a certain clone
    decision_epsilon: float  # probability of a random decision in practice; 0 = none
    decision_bc_weight: float  # weight of the cross-entropy of decisions beside the imitation of motions

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_at_least(self, 0, "gripper_penalty", "decision_bc_weight")
        expect_above(self, 0.0, "decision_margin")
        expect_within(self, 0.0, 1.0, "decision_epsilon")

    @property
    def needs_gripper(self) -> bool:
        """True unless the settings name the entries."""
        return not self.gripper_entries

    def adapt(self, spec: PolicySpec) -> PolicySpec:
        """Add the residual network and the decisions.

        Raises:
            PolicySpecError: The actions have no gripper entry.
        """
        entries = self.gripper_entries or spec.gripper_entries
        if not entries:
            raise PolicySpecError(
                "algo=hybrid: expected an action with a gripper entry, found none in the records; choose a task with "
                "drive.learns_gripper=true, name the entries in algo.gripper_entries, or choose algo=residual"
            )
        spec = replace(spec, gripper_entries=entries, gripper_head="decisions", decision_epsilon=self.decision_epsilon)
        return super().adapt(spec)


class Hybrid(Residual):
    """A residual policy of motions, and a clone and a double DQN of the grippers' decisions; see `Residual`."""

    settings: HybridSettings
    settings_type: ClassVar[type[AlgorithmSettings]] = HybridSettings

    def __init__(self, settings: HybridSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        if policy.decision_values is None:
            raise ValueError("algo=hybrid: expected a policy with decisions, found one without")
        self._values = policy.decision_values
        self._target = deepcopy(self._values).requires_grad_(False)
        self._size = torch.zeros((), device=self.device)  # moving average of the mean size of the decisions' values
        # One optimiser for both kinds of critics and the encoder that they share.
        encoder = [p for p in policy.encoders.parameters() if p.requires_grad]
        trained = [*self.critic.parameters(), *self._values.parameters(), *encoder]
        self.optimizers["critic"] = GuardedAdam(trained, settings.critic_lr)

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `Residual.update`, and set the weight of the critic's values in the decisions."""
        metrics = super().update(block)
        acts = (self._made > self.settings.warm_updates).float()
        margin = self.settings.decision_margin * self._size.clamp(min=SMALLEST_Q)
        gain = self.policy.decision_gain
        with torch.no_grad():
            gain.copy_(acts * self._share / margin)
            return metrics | {"decision_gain": gain[0].clone()}

    def update_critic(self, batch: Batch, imitation: float = 0.0, penalty: Penalty | None = None) -> CriticStep:
        """Make one step of both kinds of critics and the encoder, then one step of their targets.

        The continuous critics see each gripper entry as the decision that it commands.
        """
        mixed = self.policy.mixed
        batch = batch._replace(action=mixed.join(mixed.motion(batch.action), mixed.decisions(batch.action)))
        step = super().update_critic(batch, imitation, penalty)
        follow(self._target, self._values, self.settings.tau)
        return step

    def loss_beside(self, batch: Batch, features: Tensor, later: NextStep) -> tuple[Tensor, Metrics]:
        """Return the squared error () of the recorded decisions' values, averaged over grippers and rows."""
        target = self.decision_target(batch, later)
        values = self.policy.values(features)
        taken = _of(values, self.policy.mixed.decisions(batch.action))
        loss = F.mse_loss(taken, target)
        with torch.no_grad():
            size = taken.abs().mean()
            self._size.lerp_(torch.where(size.isfinite(), size, self._size), self.settings.tau)
            metrics = {
                "decision_loss": loss.detach(),
                "decision_q": taken.mean(),
                "decision_target": target.mean(),
                "decision_gap": (values.amax(-1) - values.median(-1).values).mean(),
                "gripper_changes": batch.gripper_changes.mean(),
            }
        return loss, metrics

    @torch.no_grad()
    def decision_target(self, batch: Batch, later: NextStep) -> Tensor:
        """Return the targets (B, D) of the recorded decisions' values.

        The next decision is the policy's, by its values; the target network evaluates it (double DQN). The reward is
        that of the task less the penalty of each gripper's changes.
        """
        every_q = self._target(later.features).unflatten(-1, (-1, DECISIONS))
        next_q = _of(every_q, later.decisions)
        cost = self.settings.gripper_penalty * batch.gripper_changes
        target = batch.reward.unsqueeze(-1) - cost + batch.discount.unsqueeze(-1) * next_q
        clip = self.settings.target_clip
        return target if clip is None else target.clamp(clip[0] - self._largest_cost(), clip[1])

    def _largest_cost(self) -> float:
        """Return the cost of a gripper that changes in every step for ever."""
        return self.settings.gripper_penalty / max(1.0 - self.settings.gamma, SMALLEST_Q)

    def imitation_loss(self, features: Tensor, batch: Batch, worth: Tensor | None = None) -> tuple[Tensor, Metrics]:
        """Return the imitation loss () of motions and decisions, and its metrics; see `EnsembleAlgorithm`."""
        mean, log_std, logits = self.policy.clone(features)
        motion_loss = self._cloning_loss(mean, log_std, batch, worth)
        shown = self.policy.mixed.decisions(batch.action)
        surprise = F.cross_entropy(logits.flatten(0, 1), shown.flatten(), reduction="none").view_as(shown).sum(-1)
        rows = imitated(batch, worth)
        decision_loss = (rows * surprise).sum() / rows.sum().clamp(min=1.0)
        with torch.no_grad():
            chosen = self.policy.decisions(features, logits)
            metrics = {
                "bc_loss": motion_loss.detach(),
                "decision_bc_loss": decision_loss.detach(),
                "decision_overruled": (chosen != logits.argmax(-1)).float().mean(),
                "decision_error": (rows * (chosen != shown).float().mean(-1)).sum() / rows.sum().clamp(min=1.0),
            }
            names = {CLOSE: "close", STAY: "stay", OPEN: "open"}
            metrics |= {f"decision_{name}": (chosen == one).float().mean() for one, name in names.items()}
        return motion_loss + self.settings.decision_bc_weight * decision_loss, metrics

    def own_tensors(self) -> dict[str, Tensor]:
        """The tensors of `Residual`, the target of the discrete critic, and the size of its values."""
        target = {f"target_decisions/{name}": value for name, value in self._target.named_parameters()}
        return super().own_tensors() | target | {"decision_size": self._size}


def _of(values: Tensor, decisions: Tensor) -> Tensor:
    """Return the values (B, D) of decisions (B, D) among values (B, D, 3)."""
    return values.gather(-1, decisions.unsqueeze(-1)).squeeze(-1)
