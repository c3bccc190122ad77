"""Admission of new weights: actors get only weights that the newest data does not speak against.

An estimate decides, before any episode: how well the weights imitate what was shown, and what the critics say of their
actions. Both are compared with the weights that were admitted last. Weights whose actions differ much from theirs have
to be at least as good by both. A policy that becomes better by both is thus admitted, however far it has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.algos.batch import to_device
from steadyhand.policies import Policy
from steadyhand.runtime.logging import get_logger

__all__ = ["Admission"]

ROWS = 256  # of the newest block that an estimate looks at, at most
FORGETTING = 2.0  # times the squared error of the admitted weights
ERROR_FLOOR = 0.05  # squared error of an action's entry up to which nothing is forgotten
LOSS = 0.1  # share of the values' mean size that may be lost
VALUE_FLOOR = 1e-3  # the same for values near zero
MUCH = 0.25  # mean change of an action's entry

logger = get_logger("learner.admission")


@dataclass(frozen=True)
class _Estimate:
    action: Tensor  # (B, A) the mode
    error: float  # squared error of an action's entry on demonstrations and corrections; 0 without any
    value: float  # mean value of the actions by the critics; 0 without critics
    size: float  # mean absolute value


class _Mode(nn.Module):
    """The most likely actions (B, A) of a policy."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        return self.policy.mode(observation)


class Admission:
    """Compares weights with those that were admitted last, on rows of the newest block.

    Args:
        algo: Its policy gives the network, and its critics the values.

    Attributes:
        refused: Number of weights that were not admitted.
    """

    def __init__(self, algo: Algorithm[Any]) -> None:
        self.refused = 0
        self._algo = algo
        self._admitted: dict[str, Tensor] | None = None
        self._told = False

    def admit(self, block: Mapping[str, Any]) -> bool:
        """Return whether the weights that the algorithm publishes now may act; the first ones always may.

        All may where the algorithm's settings ask for no admission.
        """
        if not self._algo.settings.needs_admission:
            return True
        tensors = {name: value.clone() for name, value in self._algo.published().items()}
        if reason := "" if self._admitted is None else self._against(self._admitted, tensors, block):
            self.refused += 1
            if not self._told:
                logger.warning("weights are held back, the policy before them acts on: %s", reason)
            self._told = True
            return False
        if self._told:
            logger.warning("weights are admitted again; %d have been held back so far", self.refused)
        self._admitted, self._told = tensors, False
        return True

    @torch.no_grad()
    def _against(self, old: Mapping[str, Tensor], new: Mapping[str, Tensor], block: Mapping[str, Any]) -> str:
        """Return what the block's rows say against the new weights; "" if nothing."""
        rows = slice(-ROWS, None)  # the last slice of a block has as many demonstrations as every other
        observation = {key: to_device(value[rows], self._algo.device) for key, value in block["observation"].items()}
        shown, recorded = (to_device(block[name][rows], self._algo.device) for name in ("is_demo", "action"))
        before, after = (self._estimate(weights, observation, shown, recorded) for weights in (old, new))
        change = float((after.action - before.action).abs().mean())
        much = change > MUCH
        most = before.error if much else max(FORGETTING * before.error, ERROR_FLOOR)
        if not after.error <= most:
            return f"they imitate worse, squared error {after.error:.3f} instead of {before.error:.3f}"
        least = before.value - (0.0 if much else LOSS * before.size + VALUE_FLOOR)
        if not after.value >= least:
            return f"the critics give their actions {after.value:.3f} instead of {before.value:.3f}"
        return ""

    def _estimate(
        self, weights: Mapping[str, Tensor], observation: Mapping[str, Tensor], shown: Tensor, recorded: Tensor
    ) -> _Estimate:
        action = functional_call(
            _Mode(self._algo.policy), {f"policy.{name}": one for name, one in weights.items()}, (observation,)
        )
        share = shown.float() / shown.sum().clamp(min=1)
        error = float((share * (action - recorded).square().mean(-1)).sum())
        values = self._algo.estimate(observation, action)
        if values is None:
            return _Estimate(action, error, 0.0, 0.0)
        return _Estimate(action, error, float(values.mean()), float(values.abs().mean()))
