"""Settings of a task in any gymnasium environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["GymTaskConfig"]


@dataclass(frozen=True)
class GymTaskConfig:
    """Settings of a foreign environment.

    Attributes:
        kind: gym.
        entry_point: ``package.module:function`` that makes the environment; ``gymnasium:make`` for a registered one.
        arguments: Keyword arguments for it; null = none.
        expert: ``package.module:Class`` with ``reset(info)`` and ``act(observation, info)``, in the environment's own
            observations and actions; null = no demonstrations and no corrections.
        control_period_s: Time that one step represents.
        max_steps: Steps after which an episode is truncated; null = the environment's own limit.
        reward: env = the environment's reward; success = 1 on success, else 0.
        success_reward: A step reward of at least this counts as success; null = success comes from ``info``.
        success_steps: Number of consecutive steps that must count as success.
        terminate_on_success: True if success ends the episode as terminated.
        action_bound: Largest magnitude of an entry of the action without bounds, in the environment's units; null =
            every entry has bounds.
    """

    kind: Literal["gym"]
    entry_point: str
    arguments: dict[str, Any] | None
    expert: str | None
    control_period_s: float
    max_steps: int | None
    reward: Literal["env", "success"]
    success_reward: float | None
    success_steps: int
    terminate_on_success: bool
    action_bound: float | None

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "control_period_s", "action_bound")
        expect_at_least(self, 1, "max_steps", "success_steps")
