"""VICE (arXiv 1805.11686): RLPD on the reward of a success classifier that goes on learning in practice.

The classifier tells success examples from the policy's own states. Examples are the observations at which
demonstrations were rewarded. Its negatives come from practice alone, so a state that only looks like a success to it
becomes a negative as soon as the policy goes there. The recorded reward of practice is not read. Each row is rewarded
when it is sampled, by the classifier as it is then; it is part of the algorithm's state, so a resumed learner finds the
same rewards.

The reward r is the event of the paper's query "any": a step is worth r + (1 - r) gamma V. So a value is the discounted
chance of success, within [0, 1], and a rewarded demonstration ends as a success of practice does. A classifier that is
kept uncertain gives some probability to every state, and over many steps it would add up to a certain success. So r is
0 up to the probability `reward_from`, and grows from there to 1.
Mixup, smoothed labels and the gradient penalty are those of SERL's classifier (arXiv 2401.16013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.learner.algos.algorithm import AlgorithmSettings, Metrics
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import NextStep
from steadyhand.learner.algos.guarded_adam import GuardedAdam
from steadyhand.learner.algos.sac import Sac, SacSettings
from steadyhand.policies import Policy
from steadyhand.policies.encoders.convolutions import initialise
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["Vice", "ViceSettings"]


@dataclass(frozen=True)
class ViceSettings(SacSettings):
    """Settings of RLPD and of the classifier."""

    examples: int  # newest success examples that are kept
    reward_from: float  # probability of success up to which the reward is 0, from 0 to below 1
    classifier_hidden: tuple[int, ...]  # units of each hidden layer
    classifier_lr: float
    mixup: float  # largest share of another row in a mixed one, 0..1; 0 = none
    label_smoothing: float  # share of a label that is spread over both classes, 0..1
    gradient_penalty: float  # weight of the squared distance of the logit's gradient norm from 1; 0 = none

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_at_least(self, 1, "examples", "classifier_hidden")
        expect_at_least(self, 0, "gradient_penalty")
        expect_above(self, 0.0, "classifier_lr")
        expect_within(self, 0.0, 1.0, "mixup", "label_smoothing", "reward_from")
        expect(self.reward_from < 1.0, "reward_from", "below 1", self.reward_from)
        expect(self.n_step == 1, "n_step", "1: a row has no observation between its first and last", self.n_step)

    @property
    def target_ranges(self) -> dict[str, tuple[float, float]]:
        """None: the recorded rewards are not those of the targets."""
        return {}


class Vice(Sac):
    """Soft actor-critic with a classifier of success in place of the recorded reward; see `Sac`."""

    settings: ViceSettings
    settings_type: ClassVar[type[AlgorithmSettings]] = ViceSettings

    def __init__(self, settings: ViceSettings, policy: Policy, seed: int) -> None:
        super().__init__(settings, policy, seed)
        generator = torch.Generator().manual_seed(seed)
        self.classifier = _classifier(policy.feature_size, settings.classifier_hidden, generator).to(self.device)
        self.optimizers["classifier"] = GuardedAdam(self.classifier.parameters(), settings.classifier_lr)
        # The last row takes what is no example, so that rows are written without a look at them on the host.
        self._examples = torch.zeros(settings.examples + 1, policy.feature_size, device=self.device)
        self._seen = torch.zeros((), dtype=torch.int64, device=self.device)  # examples so far
        self._in_practice = False

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `Sac` with the recorded reward of the demonstrations, and keep their success examples."""
        self._in_practice = False
        metrics = super().pretrain(block)
        self._keep(self._last_slice(block))
        return metrics

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """Make the steps of `Sac` with the classifier's reward, then one of the classifier on the last slice."""
        self._in_practice = True
        metrics = super().update(block)
        batch = self._last_slice(block)
        return metrics | self.update_classifier(self._keep(batch), ~batch.is_demo)

    def _last_slice(self, block: Mapping[str, Any]) -> Batch:
        *_, batch = Batch.from_block(block, self.device).slices(self.settings.policy_delay)
        return batch

    @torch.no_grad()
    def td_target(self, batch: Batch, later: NextStep | None = None) -> Tensor:
        """The target (B,) of `Sac`; in practice with the classifier's reward, and success as the end."""
        later = self.next_step(batch) if later is None else later
        if self._in_practice:
            reward = self.reward(later.features)
            batch = batch._replace(reward=reward, discount=batch.discount * (1.0 - reward))
        return super().td_target(batch, later)

    def chance(self, features: Tensor) -> Tensor:
        """Return the probability of success (B,) from features (B, F)."""
        return torch.sigmoid(self._logit(features))

    def reward(self, features: Tensor) -> Tensor:
        """Return the reward (B,) of states with features (B, F), within [0, 1]."""
        least = self.settings.reward_from
        return ((self.chance(features) - least) / (1.0 - least)).clamp(min=0.0)

    def _logit(self, features: Tensor) -> Tensor:
        logit: Tensor = self.classifier(features).squeeze(-1)
        return logit

    @torch.no_grad()
    def _keep(self, batch: Batch) -> Tensor:
        """Keep the success examples of a batch in place of the oldest ones; return the next states' features (B, F)."""
        features = self.policy.features(batch.next_observation)
        shown = batch.is_demo & ~batch.is_correction & (batch.reward > 0.0) & features.isfinite().all(-1)
        count = shown.long().cumsum(0)
        place = torch.where(shown, (self._seen + count - 1) % self.settings.examples, self.settings.examples)
        self._examples.index_copy_(0, place, torch.where(shown.unsqueeze(-1), features, 0.0))
        self._seen += count[-1]
        return features

    def update_classifier(self, features: Tensor, is_negative: Tensor) -> Metrics:
        """Make one step of the classifier, if there are examples and states of practice.

        Args:
            features: Features (B, F) of states.
            is_negative: Whether each of them (B,) is of practice; the others are left out.
        """
        weight, known = is_negative.float(), self._seen.clamp(max=self.settings.examples)
        drawn = (self.noise.uniform((len(features),)) * known).long()
        states = torch.cat([self._examples[drawn], features])
        label = torch.cat([torch.ones_like(weight), torch.zeros_like(weight)])
        loss, penalty = self.classifier_loss(states, label, weight.repeat(2))
        wanted = ((known > 0) & is_negative.any()).float()
        self.optimizers["classifier"].step(loss + self.settings.gradient_penalty * penalty, wanted)
        with torch.no_grad():
            shown, practised = self.chance(states).tensor_split(2)
            return {
                "classifier_loss": loss.detach(),
                "classifier_penalty": penalty.detach(),
                "classifier_chance_examples": shown.mean(),
                "classifier_chance_practice": (weight * practised).sum() / weight.sum().clamp(min=1.0),
                "classifier_examples": known.float(),
                "reward_practice": (weight * self.reward(features)).sum() / weight.sum().clamp(min=1.0),
            }

    def classifier_loss(self, states: Tensor, label: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy () on mixed rows with smoothed labels, and the gradient penalty () there.

        As many rows are examples as are of practice, by their weights.

        Args:
            states: Features (R, F).
            label: 1 for success examples, 0 for states of practice. Shape (R,).
            weight: Weights (R,) of the rows.
        """
        settings = self.settings
        other = self.noise.order(len(states))
        share = 1.0 - settings.mixup * self.noise.uniform((len(states),))
        mixed = torch.lerp(states[other], states, share.unsqueeze(-1)).detach().requires_grad_()
        wanted = torch.lerp(label[other], label, share)
        wanted = (1.0 - settings.label_smoothing) * wanted + 0.5 * settings.label_smoothing
        # A row of weight 0 must not come in by mixing; without mixing its partner does not matter.
        rows = weight * (weight[other] if settings.mixup > 0.0 else 1.0)
        rows = rows / rows.sum().clamp(min=1.0)
        logit = self._logit(mixed)
        loss = (rows * F.binary_cross_entropy_with_logits(logit, wanted, reduction="none")).sum()
        (slope,) = torch.autograd.grad(logit.sum(), mixed, create_graph=True)
        norm = (slope.square().sum(-1) + 1e-12).sqrt()  # the root has no gradient at 0
        return loss, (rows * (norm - 1.0).square()).sum()

    def own_tensors(self) -> dict[str, Tensor]:
        """The tensors of `Sac`, the classifier and its success examples."""
        own = {f"classifier/{name}": value.detach() for name, value in self.classifier.named_parameters()}
        return super().own_tensors() | own | {"examples": self._examples, "examples_seen": self._seen}


def _classifier(size: int, hidden: tuple[int, ...], generator: torch.Generator) -> nn.Sequential:
    """Return the network of the logit (B, 1) from features (B, F), smooth so that its gradient has one."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(size, width), nn.LayerNorm(width), nn.SiLU()]
        size = width
    layers.append(nn.Linear(size, 1))
    initialise(layers, generator)
    return nn.Sequential(*layers)
