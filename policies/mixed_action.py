"""Mixed actions: continuous entries, and gripper entries that are one of three decisions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from steadyhand.policies.noise import Noise
from steadyhand.policies.spec import PolicySpec
from steadyhand.runtime.gripper_entry import ACTS_FROM

__all__ = ["CLOSE", "DECISIONS", "OPEN", "STAY", "MixedAction", "decided", "decision_scores", "explored"]

CLOSE, STAY, OPEN = range(3)  # in the order of the entries that command them: -1, 0, 1
DECISIONS = 3


class MixedAction(nn.Module):
    """The places of continuous and discrete entries in an action (A,); with no discrete one it changes nothing.

    Args:
        spec: Says which entries are decisions. C entries are continuous, D are decisions, A = C + D.
    """

    def __init__(self, spec: PolicySpec) -> None:
        super().__init__()
        motions = [entry for entry in range(spec.action_size) if entry not in spec.decided]
        order = torch.tensor([*motions, *spec.decided])
        self.is_mixed = bool(spec.decided)
        # Buffers, so that they are on the device before a step is recorded; the specification fixes them.
        self.register_buffer("motion_entries", torch.tensor(motions), persistent=False)
        self.register_buffer("decided_entries", torch.tensor(spec.decided, dtype=torch.int64), persistent=False)
        self.register_buffer("places", torch.argsort(order), persistent=False)
        self.motion_entries: Tensor
        self.decided_entries: Tensor
        self.places: Tensor

    def motion(self, action: Tensor) -> Tensor:
        """Return the continuous entries (B, C) of actions (B, A)."""
        return action.index_select(-1, self.motion_entries) if self.is_mixed else action

    def decisions(self, action: Tensor) -> Tensor:
        """Return the decisions (B, D) int64 that recorded actions (B, A) in [-1, 1] command."""
        return decided(action.index_select(-1, self.decided_entries))

    def join(self, motion: Tensor, decisions: Tensor) -> Tensor:
        """Return actions (B, A) of continuous entries (B, C) and decisions (B, D)."""
        if not self.is_mixed:
            return motion
        entries = decisions.to(motion.dtype) - STAY
        return torch.cat([motion, entries], dim=-1).index_select(-1, self.places)


def decided(entries: Tensor) -> Tensor:
    """Return the decisions int64 of gripper entries in [-1, 1], of any shape, as the environment understands them."""
    return STAY + (entries > ACTS_FROM).long() - (entries < -ACTS_FROM).long()


def decision_scores(logits: Tensor, values: Tensor, gain: Tensor) -> Tensor:
    """Return the scores (B, D, 3) whose largest decides.

    They are the clone's probabilities plus the critic's values. So a decision that the clone is certain of is overruled
    by a value that is larger by 1 / `gain`, and a less certain one by less. The probabilities are bounded, unlike their
    logarithms, which a clone makes as large as it likes away from the demonstrations.

    Args:
        logits: Unnormalised log probabilities (B, D, 3) of the clone.
        values: Values (B, D, 3) by the critic.
        gain: Weight (1,) of the values; 0 = the clone decides.
    """
    return torch.softmax(logits, dim=-1) + gain * values


def explored(decisions: Tensor, epsilon: float, noise: Noise) -> Tensor:
    """Replace each of the decisions (B, D) by a uniformly drawn one with probability `epsilon`."""
    if epsilon == 0.0:
        return decisions
    chance, drawn = noise.uniform(decisions.shape), noise.integers(DECISIONS, decisions.shape)
    return torch.where(chance < epsilon, drawn, decisions)
