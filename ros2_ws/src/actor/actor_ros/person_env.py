"""The environment as a person beside it may rule it: nothing moves without leave, and episodes may be judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from actor_ros.announcer import Announcer
from actor_ros.permission import Permission
from steadyhand.actor.break_time import PARKED
from steadyhand.actor.timing import Timing
from steadyhand.robot_envs.env import RobotEnv, StopLatchedError
from steadyhand.robot_envs.observed import Observation
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["EndedError", "LoopTimes", "PersonEnv"]

LATE, EARLY = 1.5, 0.5  # control periods
_POLL_NS = 20_000_000


class EndedError(Exception):
    """The process is to end, or the node is deactivated, while a person's leave was waited for."""


class LoopTimes:
    """How regular the control loop is, from look to look."""

    def __init__(self, period_s: float) -> None:
        self.period = Timing()
        self.missed = 0  # later than `LATE` periods
        self.bursts = 0  # earlier than `EARLY` periods: commands that catch up
        self._period_ns = round(period_s * 1e9)
        self._last_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """An episode starts: what was before it is no period."""
        self._last_ns = now_ns

    def look(self, now_ns: int) -> None:
        """A step has ended."""
        if self._last_ns is not None:
            took_ns = now_ns - self._last_ns
            self.period.add(took_ns)
            self.missed += took_ns > LATE * self._period_ns
            self.bursts += took_ns < EARLY * self._period_ns
        self._last_ns = now_ns


class PersonEnv(gymnasium.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]]):
    """Waits for leave before every reset, ends episodes as the person says, and tells what happens.

    Args:
        env: The robot's.
        permission: What the person says.
        announcer: Told about every step.
        ending: Whether to wait no longer.
    """

    def __init__(self, env: RobotEnv, permission: Permission, announcer: Announcer, ending: Callable[[], bool]) -> None:
        super().__init__(env)
        self.times = LoopTimes(env.control_period_s)
        self._robot_env, self._permission, self._announcer, self._ending = env, permission, announcer, ending
        self._wall = MonotonicClock()
        self._episodes = self._steps = 0
        self._last_end = "none yet"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Go to an episode's start as soon as motion is allowed.

        Raises:
            EndedError: It no longer will be.
        """
        while True:
            self._wait_for_leave()
            self._robot_env.resume()
            if not self._permission.given:  # a stop just before was released with the others
                self._robot_env.gate.stop(StopReason.NOT_ENABLED)
                continue
            self._permission.take_mark()
            try:
                observation, info = self._robot_env.reset(seed=seed, options=options)
                break
            except StopLatchedError:  # somebody stopped it in this very moment
                continue
        self._note_stop(info)
        self._episodes, self._steps = self._episodes + 1, 0
        self.times.begin(self._robot_env.clock.now_ns())
        self._tell("running")
        return observation, info

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Do as the environment does, then as the person says."""
        self._announcer.action(action)
        if not self._permission.given:
            self._robot_env.stop(StopReason.NOT_ENABLED)
        observation, reward, terminated, truncated, info = self._robot_env.step(action)
        self.times.look(self._robot_env.clock.now_ns())
        self._steps += 1
        mark = self._permission.take_mark()
        if mark is not None and not info["stop_reason"]:
            terms = dict.fromkeys(info["reward_terms"], 0.0)
            if mark == "success":
                reward, terminated, info = 1.0, True, info | {"success": True, "judged_by": "operator"}
            elif mark == "failure":
                reward, terminated = 0.0, True
                info = info | {"success": False, "reward_terms": terms, "judged_by": "operator"}
            elif not terminated:
                truncated = True
        self._note_stop(info)
        if terminated or truncated:
            ended = "success" if info["success"] else "failure" if terminated else "truncated"
            self._last_end = str(info["stop_reason"] or ended)
        self._tell("ended" if terminated or truncated else "running")
        return observation, reward, terminated, truncated, info

    def park(self) -> None:
        """Park; to go on a person gives leave again."""
        self._robot_env.park()
        self._permission.withdraw(PARKED)
        self._tell(PARKED)

    def stop(self, reason: StopReason) -> None:
        """Hold now, from any thread; latched until a person gives leave."""
        self._permission.withdraw(reason.value)
        self._robot_env.stop(reason)

    def _wait_for_leave(self) -> None:
        while not self._permission.given:
            if self._ending():
                raise EndedError
            self._wall.sleep_until(self._wall.now_ns() + _POLL_NS)

    def _note_stop(self, info: dict[str, Any]) -> None:
        if info["stop_reason"]:
            self._permission.withdraw(info["stop_reason"])

    def _tell(self, message: str) -> None:
        self._announcer.episode(message, {"episode": self._episodes, "step": self._steps, "last_ended": self._last_end})
