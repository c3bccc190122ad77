"""Settings of the control loop: periods, action scales and gripper."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["EnvConfig"]


@dataclass(frozen=True)
class EnvConfig:
    """Settings of the control loop of one task.

    Attributes:
        control_period_s: Time between two actions.
        max_steps: Steps after which an episode is truncated.
        action_scale_m: Translation of the tool for an action of 1.
        action_scale_rad: Rotation of the tool for an action of 1.
        learns_gripper: True if the last entry of the action opens (1) and closes (-1) the gripper.
        gripper_open_m: Opening of an open command.
    """

    control_period_s: float
    max_steps: int
    action_scale_m: float
    action_scale_rad: float
    learns_gripper: bool
    gripper_open_m: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "control_period_s", "action_scale_m", "action_scale_rad")
        expect_at_least(self, 1, "max_steps")
        expect_at_least(self, 0.0, "gripper_open_m")

    @property
    def entries_per_arm(self) -> int:
        """Entries of an action per arm: a step of the tool, and the gripper where its control is learnt."""
        return 7 if self.learns_gripper else 6
