"""The two clocks of a simulated world: time jumps at `pace: lockstep`, and runs with the wall at `pace: realtime`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadyhand.runtime.clock import MonotonicClock

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.world import World

__all__ = ["RealtimeClock", "SimulatedClock"]


class SimulatedClock:
    """Clock for lockstep: a sleep simulates that time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now_ns(self) -> int:
        """Return the simulated time [ns]."""
        return self._world.now_ns()

    def sleep_until(self, t_ns: int) -> None:
        """Simulate up to ``t_ns``."""
        self._world.advance_to(t_ns)


class RealtimeClock:
    """Clock for real time: it sleeps, then the physics catches up with the wall clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wall = MonotonicClock()
        self._origin_ns = self._wall.now_ns()

    def now_ns(self) -> int:
        """Return the local monotonic time since the world was constructed [ns]."""
        return self._wall.now_ns() - self._origin_ns

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until ``t_ns``, then simulate the elapsed time."""
        self._wall.sleep_until(t_ns + self._origin_ns)
        self._world.advance_to(max(t_ns, self.now_ns()))
