"""Who acts: the person before the policy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from robot_envs.devices.operator import HOLD, Wish

__all__ = ["Action", "Arbiter", "Decision"]

Action = NDArray[np.float32]


class Decision(NamedTuple):
    """What is done in one step, and what was proposed. Actions are (A,) float32 in [-1, 1], before the safety gate."""

    action: Action
    policy_action: Action | None
    human_action: Action | None
    has_human: bool
    holds: bool = False  # nobody chose: the robot stands still for want of somebody who may


class Arbiter:
    """Puts the person before the policy, and stands still for a moment when the person lets go.

    A hand on a device pauses for a few tenths of a second within one correction. The robot stands still during a pause:
    the policy would undo what the person has just done. It also stands still while the operator asks for it. Nobody has
    shown these steps, so `has_human` is False in them.

    Args:
        action_size: A.
        release_hold_s: How long the pause may be; after it the policy acts again.
    """

    def __init__(self, action_size: int, release_hold_s: float) -> None:
        self._still = np.zeros(action_size, np.float32)
        self._still.setflags(write=False)
        self._hold_ns = round(release_hold_s * 1e9)
        self._hold_until_ns: int | None = None

    def reset(self) -> None:
        """A new episode starts; nobody has had the robot yet."""
        self._hold_until_ns = None

    def decide(self, policy_action: Action | None, wish: Wish, now_ns: int) -> Decision:
        """Choose the action of this step.

        Args:
            policy_action: (A,) in [-1, 1]; None without a policy.
            wish: The operator's action, (A,) in [-1, 1]; HOLD to stand still; None while the policy may act.
            now_ns: Control time.
        """
        if wish is HOLD:
            return Decision(self._still, policy_action, None, False, holds=True)
        if wish is not None:
            self._hold_until_ns = now_ns + self._hold_ns
            return Decision(wish, policy_action, wish, True)
        pausing = self._hold_until_ns is not None and now_ns <= self._hold_until_ns and self._hold_ns > 0
        if policy_action is None or pausing:
            return Decision(self._still, policy_action, None, False)
        return Decision(policy_action, policy_action, None, False)
