"""The hand-over of authority over the robot from the policy to the person and back."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AT_ONCE", "HandOver", "Ramp"]


@dataclass(frozen=True)
class HandOver:
    """Times of a hand-over.

    Attributes:
        release_hold_s: Standing still between the person's last action and the policy's next.
        takeover_ramp_s: Time in which the person's action grows from zero to its full size.
        hand_back_ramp_s: The same time for the policy's action, after the person or a hold.
    """

    release_hold_s: float
    takeover_ramp_s: float
    hand_back_ramp_s: float

    def __post_init__(self) -> None:
        for name in ("release_hold_s", "takeover_ramp_s", "hand_back_ramp_s"):
            value = getattr(self, name)
            if not 0.0 <= value < float("inf"):
                raise ValueError(f"{name}: expected at least 0 s, found {value}")


AT_ONCE = HandOver(0.0, 0.0, 0.0)


class Ramp:
    """The share of an action that is commanded while authority is new. The first step already has one.

    Args:
        duration_s: Time to full size.
        period_s: Time between two steps.
    """

    def __init__(self, duration_s: float, period_s: float) -> None:
        self._duration_ns, self._period_ns = round(duration_s * 1e9), round(period_s * 1e9)
        self._since_ns: int | None = None

    def restart(self) -> None:
        """Restart the ramp with the next step."""
        self._since_ns = None

    def share(self, now_ns: int) -> float:
        """Return the share of this step, in (0, 1]."""
        if self._since_ns is None:
            self._since_ns = now_ns
        elapsed_ns = now_ns - self._since_ns + self._period_ns
        return 1.0 if elapsed_ns >= self._duration_ns else elapsed_ns / self._duration_ns
