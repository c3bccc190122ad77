"""The wanted state of each gripper, which stays after its button is released."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.arbiter import Action, Decision
from steadyhand.robot_envs.gripper import gripper_wish

__all__ = ["GripperState"]


class GripperState:
    """Completes actions that leave a gripper unchanged with its present state.

    A person presses a button for a moment, and the gripper then stays closed. The actions of these steps command
    no change, but a policy that imitates them has to see that the gripper shall be closed. A completed action
    commands the same as before. A robot that has to hold still gets a zero action, and the record shows the state:
    every step of a demonstration is imitated. The policy's own actions are left alone.

    Args:
        entries: Indices of the gripper entries in an action (A,), one per arm.
    """

    def __init__(self, entries: Sequence[int]) -> None:
        self._entries = np.asarray(entries, np.int64)
        self._state = np.zeros(len(self._entries))

    def begin(self, commanded: NDArray[Any]) -> None:
        """Start an episode.

        Args:
            commanded: Wanted states (n,) as the environment has commanded them: 1 open, -1 closed, 0 neither.
        """
        self._state = np.asarray(commanded, np.float64).copy()

    def complete(self, decision: Decision) -> Decision:
        """Return the decision with the wanted state in every gripper entry that commands no change."""
        if not len(self._entries):
            return decision
        # A person's step, a pause or a hold.
        if decision.has_human or decision.holds or not decision.action.any():
            action = self._completed(decision.action)
            human = action if decision.has_human else decision.human_action
            ramp = np.zeros_like(action) if decision.holds else decision.ramp
            decision = decision._replace(action=action, human_action=human, ramp=ramp)
        wish = gripper_wish(decision.action[self._entries])
        self._state = np.where(wish == 0.0, self._state, wish)
        return decision

    def _completed(self, action: Action) -> Action:
        own = action[self._entries]
        silent = (gripper_wish(own) == 0.0) & (self._state != 0.0)
        if not silent.any():
            return action
        completed = action.copy()
        completed[self._entries] = np.where(silent, self._state, own)
        return completed
