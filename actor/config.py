"""Settings of the actor and of its console; the numbers are in configs/actor/ and configs/logging/."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from steadyhand.actor.authority import HandOver
from steadyhand.actor.supervision.person_keys import PersonKeysConfig
from steadyhand.actor.web.config import WebConfig
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["ActorConfig", "ExplorationConfig", "GraduationConfig", "LoggingConfig"]

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class GraduationConfig:
    """Conditions of an early end of training: the policy succeeds unassisted, with hardly any intervention."""

    window: int  # newest unassisted episodes that are evaluated, and newest episodes whose interventions count
    success: float  # share of those unassisted episodes that must have succeeded, 0..1
    intervention_share: float  # human steps / steps over the newest episodes may be this at most, 0..1
    min_env_steps: int  # never before this many steps

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "window")
        expect_within(self, 0.0, 1.0, "success", "intervention_share")
        expect_at_least(self, 0, "min_env_steps")


@dataclass(frozen=True)
class ExplorationConfig:
    """Random actions before the first weights, where time is simulated: the cold start without demonstrations."""

    max_env_steps: int  # 0 = none: wait for weights
    scale: float  # actions are uniform within +- this, 0..1

    def __post_init__(self) -> None:
        expect_at_least(self, 0, "max_env_steps")
        expect_within(self, 0.0, 1.0, "scale")


@dataclass(frozen=True)
class ActorConfig:
    """Duration and pace of online training, and the hand-over between policy and person."""

    # The end of training: the first condition that holds. A running episode is finished.
    max_env_steps: int
    max_wall_s: float
    graduation: GraduationConfig | None  # null = train to the end
    # The learner.
    lockstep: bool  # where time is simulated: wait whenever the learner is behind its utd_ratio
    uplink_timeout_s: float  # s to wait for the learner at the start
    drain_s: float  # s to wait at the end for the last records to arrive
    max_policy_age_s: float | None  # between episodes, hold while the newest weights are older; null = any age
    exploration: ExplorationConfig
    # The person.
    release_hold_s: float  # standing still between the person's last action and the policy's next
    takeover_ramp_s: float  # in which the person's action grows from zero to its full size
    hand_back_ramp_s: float  # the same for the policy's action, after the person or a hold
    # The console.
    success_window: int  # newest episodes that the success rates are over
    learner_stall_s: float | None = None  # without an update for so long the learner is reported; null = never
    quiet_every: int = 0  # every n-th episode of practice acts without noise, as the evaluated policy will; 0 = none
    id: str | None = None  # of this actor in its run; null = the host's name
    person_keys: PersonKeysConfig | None = None  # keys of the terminal beside a device in the hand; null = none
    web: WebConfig | None = None  # the operator page; null = none

    def __post_init__(self) -> None:
        if self.id is not None and ID.fullmatch(self.id) is None:
            raise ValueError(
                f"id: expected 1 to 32 of a-z 0-9 _ - starting with a letter or digit, or null, found {quoted(self.id)}"
            )
        expect_at_least(self, 1, "max_env_steps", "success_window")
        expect_above(self, 0.0, "max_wall_s", "uplink_timeout_s", "max_policy_age_s", "learner_stall_s")
        expect_at_least(self, 0.0, "drain_s")
        expect_at_least(self, 0, "quiet_every")
        _ = self.hand_over  # checks its times

    @property
    def hand_over(self) -> HandOver:
        """Return the times of a hand-over between person and policy."""
        return HandOver(self.release_hold_s, self.takeover_ramp_s, self.hand_back_ramp_s)


@dataclass(frozen=True)
class LoggingConfig:
    """Settings of the output to the terminal, and of the tools that get the metrics."""

    level: Literal["debug", "info", "warning", "error"]
    console: Literal["auto", "live", "plain", "off"]  # auto = live on a terminal, else plain
    live_refresh_hz: float  # how often the live view is drawn
    plain_every_s: float  # at most one plain line of progress in this time
    learner_every_s: float  # the same for the learner
    picture_every: int = 0  # episodes of practice between two exported pictures; 0 = none
    exporters: dict[str, dict[str, Any] | None] = field(default_factory=dict)  # components by name; null = left out

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "live_refresh_hz", "learner_every_s")
        expect_at_least(self, 0.0, "plain_every_s")
        expect_at_least(self, 0, "picture_every")
