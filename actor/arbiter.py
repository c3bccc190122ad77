"""Arbitration of the action: the person has priority over the policy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.authority import HandOver, Ramp
from steadyhand.robot_envs.devices.operator import HOLD, Wish

__all__ = ["Action", "Arbiter", "Decision"]

Action = NDArray[np.float32]


class Decision(NamedTuple):
    """The action of one step, and the proposals. Actions are (A,) float32 in [-1, 1], before the safety gate.

    `action` is recorded. `sent` goes to the environment: the same, but for the ramp of a hand-over.
    """

    action: Action
    policy_action: Action | None
    human_action: Action | None
    has_human: bool
    holds: bool = False  # the robot stands still because neither policy nor person may act
    ramp: NDArray[np.float32] | None = None  # share of each entry that is sent, (A,); None = all of it

    @property
    def sent(self) -> Action:
        """The action for the environment. Shape (A,)."""
        return self.action if self.ramp is None else self.action * self.ramp


class Arbiter:
    """Gives the person priority over the policy, and holds for a moment when the person lets go.

    A hand on a device pauses for a few tenths of a second within one correction. The robot stands still during a pause:
    the policy would undo the person's last motion. It also stands still while the operator asks for it. No person has
    demonstrated these steps, so `has_human` is False in them.

    The first actions after a hand-over are ramped on their way to the robot: the person's when the person takes over,
    the policy's after the person or a hold. The record has the action before the ramp (docs/decisions/0013).

    Args:
        ramped: Which entries of an action grow with a ramp. Shape (A,).
        hand_over: Times of a hand-over.
        period_s: Time between two steps.
    """

    def __init__(self, ramped: NDArray[np.bool_], hand_over: HandOver, period_s: float) -> None:
        self._still = np.zeros(len(ramped), np.float32)
        self._still.setflags(write=False)
        self._ramped = ramped
        self._takeover = Ramp(hand_over.takeover_ramp_s, period_s)
        self._hand_back = Ramp(hand_over.hand_back_ramp_s, period_s)
        self._hold_ns = round(hand_over.release_hold_s * 1e9)
        self._hold_until_ns: int | None = None
        self._policy_is_new = False

    def reset(self) -> None:
        """Start a new episode: the policy begins at its full size, from rest; a person takes over from it."""
        self._hold_until_ns = None
        self._takeover.restart()
        self._policy_is_new = False

    def decide(self, policy_action: Action | None, wish: Wish, now_ns: int) -> Decision:
        """Choose the action of this step.

        Args:
            policy_action: The policy's action, (A,) in [-1, 1]; None without a policy.
            wish: The operator's action, (A,) in [-1, 1]; HOLD to stand still; None while the policy may act.
            now_ns: Control time.
        """
        if wish is HOLD:
            self._takeover.restart()
            self._expect_policy()
            return Decision(self._still, policy_action, None, False, holds=True)
        if wish is not None:
            self._hold_until_ns = now_ns + self._hold_ns
            self._expect_policy()
            return Decision(wish, policy_action, wish, True, ramp=self._ramp(self._takeover.share(now_ns)))
        pausing = self._hold_until_ns is not None and now_ns <= self._hold_until_ns and self._hold_ns > 0
        if not pausing:
            self._takeover.restart()
        if policy_action is None or pausing:
            return Decision(self._still, policy_action, None, False)
        share = self._hand_back.share(now_ns) if self._policy_is_new else 1.0
        return Decision(policy_action, policy_action, None, False, ramp=self._ramp(share))

    def _expect_policy(self) -> None:
        """Ramp the policy's next actions."""
        self._policy_is_new = True
        self._hand_back.restart()

    def _ramp(self, share: float) -> NDArray[np.float32] | None:
        return None if share >= 1.0 else np.where(self._ramped, np.float32(share), np.float32(1.0))
