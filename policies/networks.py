"""The dense networks of the policy, each from features to the parameters of an action."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from steadyhand.policies.encoders.convolutions import initialise
from steadyhand.policies.mixed_action import DECISIONS
from steadyhand.policies.spec import PolicySpec

__all__ = ["decision_values_network", "proposal_network", "residual_network", "trunk_network"]


def residual_network(spec: PolicySpec, feature_size: int, generator: torch.Generator) -> nn.Sequential:
    """Return the network of the correction (B, C), before its own tanh, from features and the base's action."""
    # Training begins with the base as it is.
    return _from_zero(feature_size + spec.motion_size, spec.hidden, spec.motion_size, generator)


def proposal_network(spec: PolicySpec, feature_size: int, generator: torch.Generator) -> nn.Sequential:
    """Return the network of a second action (B, C) before tanh, from features; it starts at an action of zero."""
    return _from_zero(feature_size, spec.hidden, spec.motion_size, generator)


def decision_values_network(spec: PolicySpec, feature_size: int, generator: torch.Generator) -> nn.Sequential:
    """Return the network of the decisions' values (B, 3 D), from features; every value starts at 0."""
    return _from_zero(feature_size, spec.hidden, DECISIONS * len(spec.decided), generator)


def trunk_network(spec: PolicySpec, feature_size: int, generator: torch.Generator) -> nn.Sequential:
    """Return the network of mean, log standard deviation and decisions (B, 2 C + 3 D), from features."""
    size = spec.motion_size
    outputs = 2 * size + DECISIONS * len(spec.decided)
    layers, last = _layers(feature_size, spec.hidden, outputs, spec.layer_norm, spec.activation)
    initialise(layers, generator)
    if spec.log_std_start is not None:
        # A random layer's log standard deviation would drift with the features while only the mean is cloned.
        nn.init.zeros_(last.weight[size : 2 * size])
        nn.init.constant_(last.bias[size : 2 * size], spec.log_std_start)
    return nn.Sequential(*layers)


def _from_zero(size: int, hidden: Sequence[int], outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Return a network from `size` inputs whose outputs are all 0 before training."""
    layers, last = _layers(size, hidden, outputs, True, "relu")
    initialise(layers, generator)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers)


def _layers(
    size: int, hidden: Sequence[int], outputs: int, layer_norm: bool, activation: str
) -> tuple[list[nn.Module], nn.Linear]:
    """Return the layers of a network from `size` inputs, and the last of them."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(size, width))
        if layer_norm:
            layers.append(nn.LayerNorm(width))
        layers.append(nn.ReLU(inplace=True) if activation == "relu" else nn.Tanh())
        size = width
    last = nn.Linear(size, outputs)
    return [*layers, last], last
