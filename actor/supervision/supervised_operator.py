"""The operator under a person's supervision: after a stop or a break, only the person's enable goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.robot_envs.devices.operator import HOLD, Operator, Wish

__all__ = ["SupervisedOperator"]


class SupervisedOperator:
    """Acts as another operator does; resume and park come from the person's enable and request.

    Args:
        operator: The person's device, a scripted operator, or none.
        motion: The person's enable.
    """

    def __init__(self, operator: Operator, motion: MotionEnable) -> None:
        self._operator, self._motion = operator, motion

    def reset(self, info: dict[str, Any]) -> None:
        """Begin an episode. A park or gripper button that was pressed before it means nothing."""
        self._operator.may_resume("")  # takes the newest reading; the answer is the person's enable
        self._operator.reset(info)

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return the wish of the operator, or HOLD after the connection to the person was lost."""
        wish = self._operator.act(observation, info, policy_action)  # in every case, as it reads the device
        return HOLD if self._motion.person_left else wish

    def may_resume(self, stop_reason: str) -> bool:
        """Return True when a person has enabled motion since."""
        return self._motion.enabled

    def wants_park(self) -> bool:
        """Return True when a person has asked for a break, by request or by the device's button."""
        by_request = self._motion.pop_park()
        return self._operator.wants_park() or by_request

    def close(self) -> None:
        """Let go of the operator's device."""
        self._operator.close()
