"""IBRL (arXiv 2311.02198): a frozen clone and a policy of reinforcement learning, the better by Q acts.

Both networks propose an action. The critics choose between the two where the policy acts, and the target of the critics
is the larger of the two values. So the clone's actions are explored and valued from the first step on, and nothing
pulls the second network towards the clone. The actor chooses by a copy of the target critics, which is published with
the weights.

The critics are those of RLPD. Both networks and the encoder clone the demonstrations before practice; in the paper the
second one starts at random. Encoder and clone stay as they are in practice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import EnsembleAlgorithm, EnsembleSettings, NextStep
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.policies import Policy, PolicySpec, heads
from steadyhand.policies.critic import CriticSettings
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["Ibrl", "IbrlSettings"]


@dataclass(frozen=True)
class IbrlSettings(EnsembleSettings):
    """Settings of IBRL."""

    action_noise: float  # standard deviation of the second network's actions, in practice and in targets, before tanh
    clone_lr: float
    warm_updates: int  # blocks online in which the critics learn alone and the clone acts
    admission: bool  # hold back weights that imitate worse, as for other algorithms; the clone then goes on acting

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "action_noise", "clone_lr")
        expect_at_least(self, 0, "warm_updates")

    @property
    def needs_admission(self) -> bool:
        """Return the setting. Actions that the critics overrate have to be tried, or the critics never learn better."""
        return self.admission

    def adapt(self, spec: PolicySpec) -> PolicySpec:
        """Add the second network, the critics that choose, and the noise of practice, which no loss trains."""
        start = min(max(math.log(self.action_noise), spec.log_std_min), spec.log_std_max)
        chooser = CriticSettings(**{field.name: getattr(self, field.name) for field in fields(CriticSettings)})
        return replace(spec, chooser=chooser, log_std_start=start)


class Ibrl(EnsembleAlgorithm[IbrlSettings]):
    """A clone, a policy of reinforcement learning and an ensemble of critics; see `EnsembleAlgorithm`."""

    settings_type: ClassVar[type[AlgorithmSettings]] = IbrlSettings

    def __init__(self, settings: IbrlSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        if policy.chooser is None:
            raise ValueError("algo=ibrl: expected a policy with a second network, found one without")
        self._chooser = policy.chooser
        # Equal values of all actions: the clone acts until the first copy.
        nn.init.zeros_(self._chooser.weights[-1])
        nn.init.zeros_(self._chooser.biases[-1])
        self._made = torch.zeros((), device=self.device)  # blocks online
        encoder = [p for p in policy.encoders.parameters() if p.requires_grad]
        self.optimizers = {
            "critic": GuardedAdam(self.critic.parameters(), settings.critic_lr),
            "clone": GuardedAdam([*policy.trunk.parameters(), *encoder], settings.clone_lr),
            "policy": GuardedAdam(policy.proposal.parameters(), settings.policy_lr),
        }

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the critics' steps, and let both networks clone the last slice, with the encoder of the clone."""
        step = self._update_critics(block, imitation=0.0)
        features = self.policy.features(step.batch.observation, self.noise)
        loss, metrics = self.imitation_loss(features, step.batch)
        self.optimizers["clone"].step(loss)
        log_std = self.policy.base(step.features)[1].detach()
        self.optimizers["policy"].step(self._cloning_loss(self.policy.proposal(step.features), log_std, step.batch))
        self._average_published()
        return step.metrics | metrics

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make `policy_delay` critic steps, each on a slice, then one of the second network on the last slice."""
        step = self._update_critics(block, imitation=0.0)
        self._made += 1
        acts = self._made > self.settings.warm_updates
        metrics = step.metrics | self.update_proposal(step.features, acts.float())
        with torch.no_grad():
            for copied, own in zip(self._chooser.parameters(), self.target_critic.parameters(), strict=True):
                copied.copy_(torch.where(acts, own, copied))
        self._average_published()
        return metrics

    @torch.no_grad()
    def next_step(self, batch: Batch) -> NextStep:
        """Return the features of the next observation and the clone's distribution there; no choice is made yet."""
        features = self.policy.features(batch.next_observation)
        mean, log_std, logits = self.policy.clone(features)
        return NextStep(features, mean, log_std, logits.argmax(-1))

    @torch.no_grad()
    def td_target(self, batch: Batch, later: NextStep | None = None) -> Tensor:
        """The target (B,), one for all critics: reward plus the discounted value of the better of two actions.

        The value of an action is the minimum over a drawn subset, the same for both.

        Args:
            batch: One slice.
            later: Its next step; None = not computed yet.
        """
        later = self.next_step(batch) if later is None else later
        proposed, _ = heads.sample(self.policy.proposal(later.features), later.log_std, self.noise)
        members = self.draw_members()
        shown, other = (
            self.target_critic.q(later.features, action, members).amin(0)
            for action in (torch.tanh(later.mean), proposed)
        )
        target = batch.reward + batch.discount * torch.maximum(shown, other)
        return target if self.settings.target_clip is None else target.clamp(*self.settings.target_clip)

    def update_proposal(self, features: Tensor, wanted: Tensor | None = None) -> Metrics:
        """Make one step of the second network towards higher Q.

        Args:
            features: Features (B, F) of the observation.
            wanted: 0 leaves the network alone (); None = 1.
        """
        proposed = torch.tanh(self.policy.proposal(features))
        q = self.critic.q(features, proposed, frozen=True).amin(0)
        loss = -q.mean()
        norm = self.optimizers["policy"].step(loss, wanted)
        with torch.no_grad():
            shown = self.critic.q(features, torch.tanh(self.policy.base(features)[0])).amin(0)
            share = (q > shown).float().mean()
        return {"policy_loss": loss.detach(), "policy_gradient_norm": norm, "proposal_share": share}

    def own_tensors(self) -> dict[str, Tensor]:
        """The published weights, the critics, and the number of blocks online."""
        return super().own_tensors() | {"made": self._made}
