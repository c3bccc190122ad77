"""The settings of the command watchdog."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class WatchdogSettings:
    """Rates, timeouts and limits of forwarded commands. All ages are measured from the local receive time.

    Attributes:
        controller_rate_hz: Rate at which the controller receives targets.
        command_period_s: Time between two commands of the actor; a target is reached over this time.
        command_timeout_s: Age of the last command beyond which the arm holds.
        state_timeout_s: Age of the last measured pose beyond which the arm holds.
        max_jump_m: Largest distance from the measured to the commanded position.
        max_jump_rad: The same for the orientation, and for each joint in joint mode.
        box_margin_m: Margin for rounding and lag by which a target, or with a twist the tool, may be outside the
            workspace.
        tilt_margin_rad: The same margin for the tilt.
    """

    controller_rate_hz: float
    command_period_s: float
    command_timeout_s: float
    state_timeout_s: float
    max_jump_m: float
    max_jump_rad: float
    box_margin_m: float
    tilt_margin_rad: float

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0.0:
                raise ValueError(f"{field.name}: expected a number above 0, found {getattr(self, field.name)}")
        if self.command_timeout_s <= self.command_period_s:
            raise ValueError(
                f"command_timeout_s: expected more than command_period_s ({self.command_period_s}), "
                f"found {self.command_timeout_s}; every command would come too late"
            )
