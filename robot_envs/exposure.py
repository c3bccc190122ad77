"""The robot's motion at the exposure of the newest frames, which an observation shows beside them."""

from __future__ import annotations

from collections.abc import Mapping

from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.sources import Sources
from steadyhand.robot_envs.state_history import StateHistory

__all__ = ["Exposure"]

NS_PER_S = 1_000_000_000
FRAME_AGE_S = 1.0  # longest time between two frames that the history of states covers


class Exposure:
    """The states of one episode, as far back as the newest frames may have been exposed.

    Args:
        latencies_s: Latency of each view that has one. Without any, the newest state is the observed one.
    """

    def __init__(self, latencies_s: Mapping[str, float]) -> None:
        self._latencies_ns = {name: round(value * NS_PER_S) for name, value in latencies_s.items() if value > 0.0}
        longest_s = max(self._latencies_ns.values(), default=0) / NS_PER_S
        self._history = StateHistory(longest_s + FRAME_AGE_S) if self._latencies_ns else None

    @property
    def has_latency(self) -> bool:
        """True if a view has a latency."""
        return self._history is not None

    def begin(self, state: RobotState) -> None:
        """Start an episode at rest in this state."""
        if self._history is not None:
            self._history.begin(state)

    def add(self, state: RobotState) -> None:
        """Add the newest state."""
        if self._history is not None:
            self._history.add(state)

    def state(self, newest: RobotState, sources: Sources) -> RobotState:
        """Return the state to observe: the motion as it was when the newest frames were exposed."""
        return newest if self._history is None else self._history.at(sources.exposed_ns(self._latencies_ns))
