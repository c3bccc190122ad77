"""Whether a source still speaks, by the local time at which it was last heard."""

from __future__ import annotations


class Freshness:
    """The age of one source's newest reading.

    Args:
        max_age_s: Age beyond which the source is silent; None = it speaks on a change only and is never silent.
    """

    def __init__(self, max_age_s: float | None) -> None:
        self._max_age_ns = None if max_age_s is None else round(max_age_s * 1e9)
        self._heard_ns: int | None = None

    def heard(self, now_ns: int) -> None:
        """A reading was received now, whatever its own stamp says."""
        self._heard_ns = now_ns

    def forget(self) -> None:
        """As if the source had never spoken."""
        self._heard_ns = None

    @property
    def was_heard(self) -> bool:
        """Whether the source has ever spoken."""
        return self._heard_ns is not None

    def age_ns(self, now_ns: int) -> int | None:
        """Time since the newest reading [ns]; None before the first."""
        return None if self._heard_ns is None else now_ns - self._heard_ns

    def is_fresh(self, now_ns: int) -> bool:
        """Whether the source has spoken and its newest reading is not too old."""
        age = self.age_ns(now_ns)
        return age is not None and (self._max_age_ns is None or age <= self._max_age_ns)
