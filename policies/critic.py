"""An ensemble of critics evaluated by one batched product per layer, with a scalar or a classification head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["CriticEnsemble", "CriticSettings", "HlGaussHead", "ScalarHead", "follow"]

SUPPORT_MARGIN = 3.0  # sigmas past each end of the range, so that a target on the bound keeps its whole Gaussian
FLAT_PROBABILITY = 1e-4  # floor of a bin at zero initialisation, so that the cross-entropy can still move it


@dataclass(frozen=True)
class CriticSettings:
    """Settings of a critic ensemble."""

    critic_hidden: tuple[int, ...]  # units of each hidden layer
    critic_layer_norm: bool  # LayerNorm after each dense layer, before the ReLU
    num_critics: int  # critics in the ensemble
    critic_head: Literal["scalar", "hl_gauss"]
    value_range: tuple[float, float]  # values the hl_gauss head can express
    num_bins: int  # bins of the hl_gauss head
    bin_sigma: float  # smoothing of the hl_gauss target, in bin widths
    zero_init_last_layer: bool  # every critic starts at Q = 0

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "num_critics", "critic_hidden")
        expect_above(self, 0.0, "bin_sigma")
        low, high = self.value_range
        expect(low < high, "value_range", "[low, high], low < high", self.value_range)
        expect(self.num_bins > 6 * self.bin_sigma + 1, "num_bins", "more than 6 bin_sigma + 1", self.num_bins)

    @property
    def head_ranges(self) -> dict[str, tuple[float, float]]:
        """Return the ranges of the head's values, by the name of the setting; {} where it has no bounds."""
        return {"algo.value_range": self.value_range} if self.critic_head == "hl_gauss" else {}


class CriticEnsemble(nn.Module):
    """N independent Q functions over (features, action), each an MLP with its own weights.

    Args:
        config: Widths, ensemble size and head.
        input_size: Features plus action components.
        generator: Source of the initial weights.
    """

    def __init__(self, config: CriticSettings, input_size: int, generator: torch.Generator) -> None:
        super().__init__()
        self.num_critics = config.num_critics
        self.layer_norm = config.critic_layer_norm
        self.head: ScalarHead | HlGaussHead
        self.head = HlGaussHead(config) if config.critic_head == "hl_gauss" else ScalarHead()
        sizes = (input_size, *config.critic_hidden, self.head.outputs)
        self.weights = nn.ParameterList(
            _xavier_uniform((self.num_critics, fan_in, fan_out), generator) for fan_in, fan_out in pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(self.num_critics, 1, size) for size in sizes[1:])
        norm_sizes = config.critic_hidden if self.layer_norm else ()
        self.norm_scales = nn.ParameterList(torch.ones(self.num_critics, 1, size) for size in norm_sizes)
        self.norm_shifts = nn.ParameterList(torch.zeros(self.num_critics, 1, size) for size in norm_sizes)
        # LayerNorm without weights takes a slower path on a CPU than with ones and zeros.
        widest = max(config.critic_hidden, default=0)
        self.register_buffer("ones", torch.ones(widest), persistent=False)
        self.register_buffer("zeros", torch.zeros(widest), persistent=False)
        self.ones: Tensor
        self.zeros: Tensor
        if config.zero_init_last_layer:
            nn.init.zeros_(self.weights[-1])
            self.biases[-1].data[:] = self.head.zero_bias()

    def forward(self, features: Tensor, action: Tensor, members: Tensor | None = None, frozen: bool = False) -> Tensor:
        """Raw head outputs (M, B, outputs); `self.head.value` turns them into Q (M, B).

        Args:
            features: Features (B, F).
            action: Actions (B, A) in [-1, 1].
            members: Indices (M,) of the critics to evaluate; None = all N.
            frozen: Whether the critics' weights get no gradient; it still flows to the inputs.
        """

        def pick(parameter: Tensor) -> Tensor:
            parameter = parameter.detach() if frozen else parameter
            return parameter if members is None else parameter.index_select(0, members)

        weights, biases = [pick(weight) for weight in self.weights], [pick(bias) for bias in self.biases]
        x = torch.cat((features, action), dim=-1).expand(weights[0].shape[0], -1, -1)
        for layer, (weight, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if self.layer_norm:
                width = x.shape[-1]
                x = F.layer_norm(x, (width,), self.ones[:width], self.zeros[:width])
                x = torch.addcmul(pick(self.norm_shifts[layer]), x, pick(self.norm_scales[layer]))
            x = F.relu(x, inplace=True)
        return torch.baddbmm(biases[-1], x, weights[-1])

    def q(self, features: Tensor, action: Tensor, members: Tensor | None = None, frozen: bool = False) -> Tensor:
        """Q values (M, B); the arguments are those of `forward`."""
        return self.head.value(self(features, action, members, frozen))


class ScalarHead(nn.Module):
    """One output per critic, trained by squared error."""

    outputs = 1

    def zero_bias(self) -> Tensor:
        """Bias (1,) that makes Q zero."""
        return torch.zeros(1)

    def value(self, raw: Tensor) -> Tensor:
        """Q (M, B) from raw outputs (M, B, 1)."""
        return raw.squeeze(-1)

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Squared error of raw outputs (N, B, 1) against one target (B,), averaged over critics and batch."""
        return F.mse_loss(self.value(raw), target.expand(raw.shape[:-1]))


class HlGaussHead(nn.Module):
    """A histogram over a bounded value range, trained by cross-entropy against a Gaussian around the target.

    See "Stop Regressing" (arXiv 2403.03950).
    """

    def __init__(self, config: CriticSettings) -> None:
        super().__init__()
        low, high = config.value_range
        margin = SUPPORT_MARGIN * config.bin_sigma
        width = (high - low) / (config.num_bins - 2.0 * margin)
        self.outputs = config.num_bins
        self.low, self.high, self.sigma = low, high, config.bin_sigma * width
        half = 0.5 * config.num_bins * width
        edges = torch.linspace((low + high) / 2 - half, (low + high) / 2 + half, config.num_bins + 1)
        self.register_buffer("edges", edges, persistent=False)
        self.edges: Tensor

    def zero_bias(self) -> Tensor:
        """Bias (K,) whose histogram lies around zero, or around the end of the range nearest to it."""
        return torch.log(self.histogram(torch.zeros(1))[0] + FLAT_PROBABILITY)

    def histogram(self, target: Tensor) -> Tensor:
        """Share (B, K) of a Gaussian around each target (B,) that falls into each bin."""
        centred = (self.edges - target.clamp(self.low, self.high)[:, None]) / (math.sqrt(2.0) * self.sigma)
        cumulative = torch.erf(centred)
        return cumulative.diff(dim=-1) / (cumulative[:, -1:] - cumulative[:, :1])

    def value(self, raw: Tensor) -> Tensor:
        """Q (M, B), the histogram's mean, from logits (M, B, K)."""
        return torch.softmax(raw, dim=-1) @ (0.5 * (self.edges[1:] + self.edges[:-1]))

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of logits (N, B, K) against one target (B,), averaged over critics and batch."""
        return -(F.log_softmax(raw, dim=-1) * self.histogram(target)).sum(-1).mean()


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, share: float) -> None:
    """Move every weight of a target network by this share of the way to the source's, in place."""
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), share)


def _xavier_uniform(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    bound = math.sqrt(6.0 / (shape[1] + shape[2]))
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)
