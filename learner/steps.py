"""Gradient steps made otherwise than by the algorithm itself, and the check that they are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Metrics

__all__ = ["Steps", "copied", "differing"]

TOLERANCE, ROUNDING = 0.2, 1e-6  # of a change, and of a value, that a step may be off by


class Steps(Protocol):
    """The maker of gradient steps from blocks."""

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.update`."""

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.pretrain`."""


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors, by the same names."""
    return {name: value.clone() for name, value in tensors.items()}


def differing(before: Mapping[str, Tensor], after: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return the owners, such as `critic` and `optimizer/policy/first`, whose tensors differ too much.

    A step may sum in another order each time it is made. Adam turns a gradient of pure rounding, such as that of a bias
    before a softmax, into a whole step of either sign. The changes of all of an owner's tensors are therefore compared
    together: a wrong step is off by all of it.

    Args:
        before: The algorithm's state before a step.
        after: Its state after its own step.
        found: Its state after the other one's step, from the same state on the same block.
    """
    owners: dict[str, list[str]] = {}
    for name in after:
        owners.setdefault(name.rpartition("/")[0] or name, []).append(name)

    def differs(names: list[str]) -> bool:
        if not after[names[0]].is_floating_point():  # the generator's state
            return not all(torch.equal(after[name], found[name]) for name in names)
        error, change, size = (
            torch.stack([part.norm() for part in parts]).norm()
            for parts in (
                [found[name] - after[name] for name in names],
                [after[name] - before[name] for name in names],
                [after[name] for name in names],
            )
        )
        return not bool(error <= TOLERANCE * change + ROUNDING * (1.0 + size))  # NaN differs

    return [owner for owner, names in owners.items() if differs(names)]
