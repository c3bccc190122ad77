"""The environment under a person's supervision: motion needs an enable, and the person can label or end episodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.events import Countdown, Events, VerdictGiven, Waiting
from steadyhand.actor.operator_break import PARKED
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.verdict_watch import VerdictWatch
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.robot_envs.teachable import EndedError, StopLatchedError, missing_members, teachable
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["SupervisedEnv"]

Observation = dict[str, NDArray[Any]]
_POLL_NS = 20_000_000
_SECOND_NS = 1_000_000_000


class SupervisedEnv(gymnasium.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]]):
    """Waits for an enable before every reset, and ends episodes by the person's verdicts.

    Args:
        env: Keeps the contract of `robot_envs.teachable`.
        motion: The person's enable and verdicts.
        ending: Returns True when the wait for an enable is to end.
        events: Gets verdicts that took effect, and the wait for an enable.
        how: Text on how a person enables motion, for the reason of the wait.
        countdown_s: Whole seconds between the enable and the start of every episode.

    Raises:
        TypeError: The environment cannot be stopped.
    """

    def __init__(
        self,
        env: gymnasium.Env[Observation, NDArray[np.float32]],
        motion: MotionEnable,
        ending: Callable[[], bool],
        events: Events | None = None,
        how: str = "actor/enable",
        countdown_s: int = 0,
    ) -> None:
        super().__init__(env)
        if missing := {"stop", "resume", "stop_reason"} & set(missing_members(env)):
            raise TypeError(
                f"{type(env.unwrapped).__name__}: expected an environment that a person can stop, found none of "
                f"{', '.join(sorted(missing))}; see robot_envs/teachable.py"
            )
        self._robot, self._motion, self._ending = teachable(env), motion, ending
        self._events, self._how, self._countdown_s = events or Events(), how, countdown_s
        self._wall, self._verdicts = MonotonicClock(), VerdictWatch()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Go to an episode's start as soon as motion is enabled.

        Raises:
            EndedError: It will not be.
        """
        while True:
            self._wait_for_enable()
            self._count_down()
            self._robot.resume()
            if not self._motion.enabled:  # a stop just before was cleared with the others
                self._robot.stop(StopReason.NOT_ENABLED)
                continue
            self._motion.pop_verdict()
            try:
                observation, info = self.env.reset(seed=seed, options=options)
                break
            except StopLatchedError:  # a stop came in this very moment
                continue
        self._note_stop(info)
        return observation, info

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step the environment, then apply the person's verdict. A stop outranks it."""
        if not self._motion.enabled:
            self._robot.stop(StopReason.NOT_ENABLED)
        observation, reward, terminated, truncated, info = self.env.step(action)
        verdict = self._motion.pop_verdict()
        if verdict is not None and not info["stop_reason"]:
            if verdict != "reset":
                self._verdicts.compare(verdict == "success", info)
            terms = dict.fromkeys(info["reward_terms"], 0.0)
            if verdict == "success":
                reward, terminated, info = 1.0, True, info | {"success": True, "judged_by": "operator"}
            elif verdict == "failure":
                reward, terminated = 0.0, True
                info = info | {"success": False, "reward_terms": terms, "judged_by": "operator"}
            else:
                info = info | {"discarded": True}
                truncated = truncated or not terminated
            self._events.emit(VerdictGiven(verdict))
        self._note_stop(info)
        return observation, reward, terminated, truncated, info

    def count_down_for(self, countdown_s: int) -> None:
        """Count down for so many whole seconds after the enable of every later episode; 0 = not at all."""
        self._countdown_s = countdown_s

    def park(self) -> None:
        """Park; to go on a person enables motion again."""
        self._robot.park()
        self._motion.disable(PARKED)

    def stop(self, reason: StopReason) -> None:
        """Hold now, from any thread; latched until a person enables motion."""
        self._motion.disable(reason.value)
        self._robot.stop(reason)

    def _wait_for_enable(self) -> None:
        waits = False
        while not self._motion.enabled:
            if self._ending():
                raise EndedError
            if not waits:
                self._events.emit(Waiting(f"a person to enable motion with {self._how} ({self._motion.reason})"))
            waits = True
            self._wall.sleep_until(self._wall.now_ns() + _POLL_NS)
        if waits:
            self._events.emit(Waiting(""))

    def _count_down(self) -> None:
        """Count down while motion is enabled. Nothing moves meanwhile."""
        left_s = self._countdown_s
        while left_s > 0 and self._motion.enabled:
            self._events.emit(Countdown(left_s))
            until_ns = self._wall.now_ns() + _SECOND_NS
            while self._motion.enabled and self._wall.now_ns() < until_ns:
                if self._ending():
                    raise EndedError
                self._wall.sleep_until(self._wall.now_ns() + _POLL_NS)
            left_s -= 1
        if self._countdown_s:
            self._events.emit(Countdown(0))

    def _note_stop(self, info: dict[str, Any]) -> None:
        if info["stop_reason"]:
            self._motion.disable(info["stop_reason"])
