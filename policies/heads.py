"""The tanh-Gaussian by hand: torch.distributions costs several times as much at batch 256."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.noise import Noise

__all__ = ["ACTION_EDGE", "log_prob", "sample"]

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
LOG_2 = math.log(2.0)
# A recorded +-1 lies at infinity before tanh. Cloned at 0.99, it leaves the mean where tanh still has a gradient.
ACTION_EDGE = 0.99


def sample(mean: Tensor, log_std: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
    """Draw by reparameterisation.

    Args:
        mean: Mean (..., A) before tanh.
        log_std: Log standard deviation (..., A) before tanh.
        noise: Source of random numbers, on the same device.

    Returns:
        action (..., A) in (-1, 1) and its log density (...), both differentiable.
    """
    drawn = noise.normal(mean.shape)
    pre_tanh = torch.addcmul(mean, log_std.exp(), drawn)
    density = -0.5 * drawn.square() - log_std - LOG_SQRT_2PI - _log_slope(pre_tanh)
    return torch.tanh(pre_tanh), density.sum(-1)


def log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Return the log density (...) of a recorded action (..., A) in [-1, 1], clipped to 0.99 from the centre."""
    pre_tanh = torch.atanh(action.clamp(-ACTION_EDGE, ACTION_EDGE))
    error = (pre_tanh - mean) * torch.exp(-log_std)
    density = -0.5 * error.square() - log_std - LOG_SQRT_2PI - _log_slope(pre_tanh)
    return density.sum(-1)


def _log_slope(pre_tanh: Tensor) -> Tensor:
    # log(1 - tanh(u)^2), in the form that does not lose its digits for large |u|.
    return 2.0 * (LOG_2 - pre_tanh - F.softplus(-2.0 * pre_tanh))
