"""Freshness of a source, by the local receive time of its newest reading."""

from __future__ import annotations


class Freshness:
    """The age of one source's newest reading.

    Args:
        max_age_s: Age beyond which the source is silent; None = it reports changes only, and is never silent.
    """

    def __init__(self, max_age_s: float | None) -> None:
        self._max_age_ns = None if max_age_s is None else round(max_age_s * 1e9)
        self._heard_ns: int | None = None

    def heard(self, now_ns: int) -> None:
        """Register a reading received now; its own stamp is ignored."""
        self._heard_ns = now_ns

    def forget(self) -> None:
        """Reset to the state before the first reading."""
        self._heard_ns = None

    @property
    def was_heard(self) -> bool:
        """True once a reading was received."""
        return self._heard_ns is not None

    def age_ns(self, now_ns: int) -> int | None:
        """Return the time since the newest reading [ns]; None before the first one."""
        return None if self._heard_ns is None else now_ns - self._heard_ns

    def is_fresh(self, now_ns: int) -> bool:
        """Return whether a reading was received and the newest one is not too old."""
        age = self.age_ns(now_ns)
        return age is not None and (self._max_age_ns is None or age <= self._max_age_ns)
