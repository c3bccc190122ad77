"""Whoever helps the policy, with the person's leave in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actor_ros.permission import Permission
from actor_ros.publishers import Publishers
from steadyhand.robot_envs.devices.operator import HOLD, Operator, Wish

__all__ = ["GuidedOperator"]


class GuidedOperator:
    """Acts as another operator does, and tells so. After a stop only `actor/enable` goes on.

    Args:
        operator: The person's device, the stand-in, or nobody.
        permission: What the person says.
        announcer: Told about every step.
    """

    def __init__(self, operator: Operator, permission: Permission, announcer: Publishers) -> None:
        self._operator, self._permission, self._announcer = operator, permission, announcer

    def reset(self, info: dict[str, Any]) -> None:
        """A new episode starts."""
        self._operator.reset(info)

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """What the operator wants."""
        wish = self._operator.act(observation, info, policy_action)
        if policy_action is not None:
            self._announcer.policy_action(policy_action)
        self._announcer.intervention(wish is not None and wish is not HOLD)
        return wish

    def may_resume(self, stop_reason: str) -> bool:
        """Whether a person has enabled motion since."""
        return self._permission.given

    def wants_park(self) -> bool:
        """Whether a person has called actor/park, or pressed the device's button."""
        by_service = self._permission.take_park()
        return self._operator.wants_park() or by_service

    def close(self) -> None:
        """Let go of whatever the operator holds in hand."""
        self._operator.close()
