"""The policy network: observation to a tanh-Gaussian over normalised actions, and to decisions of the grippers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from steadyhand.policies import heads
from steadyhand.policies.critic import CriticEnsemble
from steadyhand.policies.encoders import Backbone, EncoderError, make_encoder
from steadyhand.policies.encoders.convolutions import StridedConvolutions, computing_in
from steadyhand.policies.encoders.frames import FRAME_DTYPE
from steadyhand.policies.mixed_action import DECISIONS, MixedAction, decision_scores, explored
from steadyhand.policies.networks import decision_values_network, proposal_network, residual_network, trunk_network
from steadyhand.policies.noise import Noise
from steadyhand.policies.spec import PolicySpec

__all__ = ["Policy", "PolicyWeightsError"]

NORMALISED_LIMIT = 10.0  # standard deviations; a spike far outside the demonstrations must not saturate every unit


class PolicyWeightsError(ValueError):
    """Weights that do not belong to this policy or are not finite."""


class Policy(nn.Module):
    """A Gaussian squashed by tanh over actions (A,) in [-1, 1].

    With `gripper_head=decisions` the D gripper entries are not part of the Gaussian, which then has C = A - D entries.
    Each of them is the decision with the highest score (`decision_scores`) of close, stay and open: -1, 0 and 1.

    With a `chooser` a second network proposes an action beside the clone's. The better of the two by the critics of the
    chooser, which the learner sets, is the mean; noise is added to the second one alone.

    Observations in batches: vectors (B, H, D) float32 in SI units, frames (B, H, height, width, 3) uint8,
    with H = obs_horizon and the newest observation last. With a frozen encoder the maps (B, H, C, h, w) of its
    backbone may replace the frames, which saves the passes through it.

    Args:
        spec: Architecture and input scaling.
        seed: Fixes the initial weights and the noise of `act`.
        backbone: The frozen part of the encoder, shared and never copied; needed exactly when the spec names an
            `encoder_hash`.

    Raises:
        EncoderError: The backbone is not the one that the spec names.
    """

    def __init__(self, spec: PolicySpec, seed: int = 0, backbone: Backbone | None = None) -> None:
        super().__init__()
        self.spec = spec
        self._vectors = tuple(item for item in spec.inputs if not item.is_frame)
        self._frames = tuple(item for item in spec.inputs if item.is_frame)
        self._noise = Noise(seed)
        generator = torch.Generator().manual_seed(seed)
        self._add_normaliser()
        _check_backbone(spec, backbone)
        self.backbone = backbone
        self.encoders = nn.ModuleList(
            make_encoder(spec.encoder, item.shape, spec.obs_horizon, spec.latent_size, generator, backbone)
            for item in self._frames
        )
        self.feature_size = spec.obs_horizon * sum(item.shape[0] for item in self._vectors)
        self.feature_size += spec.latent_size * len(self._frames)
        self.mixed = MixedAction(spec)
        self.trunk = trunk_network(spec, self.feature_size, generator)
        self.residual: nn.Sequential | None = None
        if spec.residual_scale > 0.0:
            self.residual = residual_network(spec, self.feature_size, generator)
            # Share of `residual_scale` that is in use; the learner raises it, and no loss trains it.
            self.residual_share = nn.Parameter(torch.ones(1))
        self.decision_values: nn.Sequential | None = None
        if spec.decided:
            self.decision_values = decision_values_network(spec, self.feature_size, generator)
            # Weight of those values beside the clone; the learner sets it, and no loss trains it.
            self.decision_gain = nn.Parameter(torch.zeros(1))
        self.chooser: CriticEnsemble | None = None
        if spec.chooser is not None:
            self.proposal = proposal_network(spec, self.feature_size, generator)
            # Published with the weights; the learner copies its critics here, and no loss trains these.
            self.chooser = CriticEnsemble(spec.chooser, self.feature_size + spec.action_size, generator)
        self._convolutions = torch.float32

    def convolve_in(self, dtype: torch.dtype) -> None:
        """Let convolutions compute in `dtype`; weights, gradients, features and every other layer stay float32."""
        self._convolutions = dtype
        for module in self.encoders.modules():
            if isinstance(module, StridedConvolutions):
                module.dtype = dtype

    def _add_normaliser(self) -> None:
        means, scales, limits = [], [], []
        for item in self._vectors:
            size = item.shape[0]
            mean, std = self.spec.normaliser.get(item.key, ([0.0] * size, [1.0] * size))
            means += mean * self.spec.obs_horizon
            scales += [1.0 / value for value in std] * self.spec.obs_horizon
            # Only a field with a scale of its own has values that are too large.
            limit = NORMALISED_LIMIT if item.key in self.spec.normaliser else math.inf
            limits += [limit] * (size * self.spec.obs_horizon)
        # Not persistent: the scaling travels in the specification, never with the weights.
        self.register_buffer("mean", torch.tensor(means, dtype=torch.float32), persistent=False)
        self.register_buffer("scale", torch.tensor(scales, dtype=torch.float32), persistent=False)
        self.register_buffer("limit", torch.tensor(limits, dtype=torch.float32), persistent=False)
        self.mean: Tensor
        self.scale: Tensor
        self.limit: Tensor

    def features(self, observation: Mapping[str, Tensor], dropout: Noise | None = None) -> Tensor:
        """Return normalised vectors and encoded frames side by side, (B, feature_size), for policy and critic.

        Args:
            observation: A batch.
            dropout: Draws the dropped entries of a frozen encoder's features; None = no dropout.
        """
        parts = []
        if self._vectors:
            vectors = torch.cat([observation[item.key].flatten(1) for item in self._vectors], dim=-1)
            scaled = (vectors - self.mean) * self.scale
            parts.append(torch.minimum(torch.maximum(scaled, -self.limit), self.limit))
        for item, encoder in zip(self._frames, self.encoders, strict=True):
            frames = observation[item.key]
            if self.backbone is None:
                parts.append(encoder(frames))
            else:
                maps = frames
                if frames.dtype == FRAME_DTYPE:
                    with computing_in(self._convolutions, frames.device):
                        maps = self.backbone(frames)
                parts.append(encoder(maps.float().flatten(1, 2), dropout))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation before tanh, each (B, C), from features (B, feature_size)."""
        return self._distribution(features, *self.base(features))

    def _distribution(self, features: Tensor, mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
        if self.chooser is not None:
            return self.better(self.chooser, features, mean, log_std)
        return (mean if self.residual is None else self.changed(mean, self.change(features, mean))), log_std

    def better(self, chooser: CriticEnsemble, features: Tensor, mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distribution of the better of two actions by the smallest value of some critics.

        Args:
            chooser: The critics.
            features: Features (B, feature_size).
            mean: The clone's mean (B, C) before tanh. It is better if both have the same value.
            log_std: Log standard deviation (B, C) of the other network's action; the clone's has the least one.
        """
        proposed = self.proposal(features)
        shown, other = (chooser.q(features, torch.tanh(one)).amin(0) for one in (mean, proposed))
        is_better = (other > shown).unsqueeze(-1)
        least = torch.full_like(log_std, self.spec.log_std_min)
        return torch.where(is_better, proposed, mean), torch.where(is_better, log_std, least)

    def base(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The same without the residual network."""
        mean, log_std, _ = self.clone(features)
        return mean, log_std

    def clone(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, and the unnormalised log probabilities (B, D, 3) of the cloned decisions."""
        size = self.spec.motion_size
        mean, log_std, logits = self.trunk(features).tensor_split((size, 2 * size), dim=-1)
        return mean, log_std.clamp(self.spec.log_std_min, self.spec.log_std_max), self._by_decision(logits)

    def decisions(self, features: Tensor, logits: Tensor) -> Tensor:
        """Return the decisions (B, D) int64 with the highest scores; the arguments are those of `scores`."""
        return (self.scores(features, logits) if self.mixed.is_mixed else logits).argmax(dim=-1)

    def scores(self, features: Tensor, logits: Tensor) -> Tensor:
        """Return the scores (B, D, 3) of decisions, from features (B, feature_size) and the clone's logits."""
        return decision_scores(logits, self.values(features), self.decision_gain.detach())

    def values(self, features: Tensor) -> Tensor:
        """Return the values (B, D, 3) of decisions by the policy's discrete critic."""
        assert self.decision_values is not None
        values: Tensor = self.decision_values(features)
        return self._by_decision(values)

    def _by_decision(self, outputs: Tensor) -> Tensor:
        return outputs.reshape(*outputs.shape[:-1], len(self.spec.decided), DECISIONS)

    def change(self, features: Tensor, mean: Tensor) -> Tensor:
        """Return the residual network's change (B, C) of the base's action, in [-1, 1] of the largest one.

        Args:
            features: Features (B, feature_size).
            mean: Mean (B, C) of the base before tanh.
        """
        assert self.residual is not None
        return torch.tanh(self.residual(torch.cat([features, torch.tanh(mean)], dim=-1)))

    def changed(self, mean: Tensor, change: Tensor) -> Tensor:
        """Add a change (B, C) to the base's action.

        Returns:
            Mean (B, C) before tanh, whose tanh differs from the base's by at most `residual_scale` in every entry.
        """
        wanted = torch.tanh(mean) + self.spec.residual_scale * self.residual_share.detach() * change
        # The gradient passes the clip straight through: it would end at a saturated action, which could not come back.
        possible = wanted + (wanted.clamp(-heads.ACTION_EDGE, heads.ACTION_EDGE) - wanted).detach()
        return torch.atanh(possible)

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation before tanh, each (B, C)."""
        return self.distribution(self.features(observation))

    def sample(self, observation: Mapping[str, Tensor], noise: Noise) -> tuple[Tensor, Tensor]:
        """Draw actions (B, A) in [-1, 1] with the log density (B,) of their continuous entries."""
        mean, log_std, decisions = self.outputs(self.features(observation))
        motion, density = heads.sample(mean, log_std, noise)
        return self.mixed.join(motion, explored(decisions, self.spec.decision_epsilon, noise)), density

    def mode(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Return the most likely actions (B, A) in [-1, 1]."""
        mean, _, decisions = self.outputs(self.features(observation))
        return self.mixed.join(torch.tanh(mean), decisions)

    def outputs(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of the action's distribution, from features (B, feature_size).

        Returns:
            Mean and log standard deviation before tanh, each (B, C), and the decisions (B, D) int64.
        """
        mean, log_std, logits = self.clone(features)
        mean, log_std = self._distribution(features, mean, log_std)
        return mean, log_std, self.decisions(features, logits)

    def act(self, observation: Mapping[str, np.ndarray], deterministic: bool) -> np.ndarray:
        """Choose one action.

        Args:
            observation: Vectors (H, D) float32 in SI units and frames (H, height, width, 3) uint8, or their maps; no
                batch axis.
            deterministic: Whether to return the mode instead of a draw.

        Returns:
            Action (A,) float32 in [-1, 1].
        """
        with torch.inference_mode():
            device = self.mean.device
            batch = {
                item.key: torch.from_numpy(np.ascontiguousarray(observation[item.key]))[None].to(device)
                for item in self.spec.inputs
            }
            mean, log_std, decisions = (value.cpu() for value in self.outputs(self.features(batch)))
            motion = torch.tanh(mean) if deterministic else heads.sample(mean, log_std, self._noise)[0]
            if not deterministic:
                decisions = explored(decisions, self.spec.decision_epsilon, self._noise)
            chosen: np.ndarray = self.mixed.join(motion.to(device), decisions.to(device))[0].cpu().numpy()
        return chosen

    def trainable_tensors(self) -> dict[str, np.ndarray]:
        """Return a copy of every trained weight by name; a backbone is never sent."""
        return {
            name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters() if value.requires_grad
        }

    def load_tensors(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Take over trained weights; raises `PolicyWeightsError` before anything changes if one does not fit."""
        own = {name: value for name, value in self.named_parameters() if value.requires_grad}
        if set(own) != set(tensors):
            raise PolicyWeightsError(
                f"weights: expected tensors {sorted(own)}, found {sorted(tensors)}; the sender has another policy spec"
            )
        for name, value in tensors.items():
            if own[name].shape != value.shape:
                raise PolicyWeightsError(
                    f"weights: {name} must have shape {tuple(own[name].shape)}, found {value.shape}; "
                    "the sender has another policy spec"
                )
            if not np.isfinite(value).all():
                raise PolicyWeightsError(
                    f"weights: {name} must be finite, found NaN or infinity; keep the current policy"
                )
        with torch.no_grad():
            for name, value in tensors.items():
                own[name].copy_(torch.from_numpy(np.array(value, dtype=np.float32)))


def _check_backbone(spec: PolicySpec, backbone: Backbone | None) -> None:
    found = "" if backbone is None else backbone.hash
    if found != spec.encoder_hash:
        raise EncoderError(
            f"frozen encoder {spec.encoder}: expected weights with sha256 {spec.encoder_hash or '(none)'}, found "
            f"{found or 'none'}; give actor and learner the same policy.encoder_weights, or the same package"
        )
