"""A point that has to reach a goal: the smallest environment with everything that the actor asks for."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE, HandOver
from steadyhand.runtime.clock import Clock, FakeClock

PERIOD_S = 0.1
STEP = 0.2


def arbiter(hand_over: HandOver = AT_ONCE, ramped=(True, True)) -> Arbiter:
    """An arbiter of two entries."""
    return Arbiter(np.array(ramped), hand_over, PERIOD_S)


class PointEnv(gymnasium.Env):
    """Two coordinates, a sparse reward at the goal, and faults on demand."""

    def __init__(
        self, max_steps: int = 20, frames: bool = False, period_s: float = PERIOD_S, clock: Clock | None = None
    ) -> None:
        boxes: dict[str, spaces.Space[Any]] = {
            "position": spaces.Box(-2.0, 2.0, (2,), np.float32),
            "to_goal": spaces.Box(-4.0, 4.0, (2,), np.float32),
        }
        if frames:
            boxes["camera"] = spaces.Box(0, 255, (8, 8, 3), np.uint8)
        self.observation_space = spaces.Dict(boxes)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.field_specs = {"position": ("m", "base", (1.0, 1.0)), "to_goal": ("m", "point", ())}
        self.command_size = 2
        self.reward_terms = ("reached",)
        self.control_period_s = period_s
        self.clock = clock or FakeClock()
        self.lockstep = clock is None
        self.stop_reason: str | None = None
        self.holds = 0
        self.seeds: list[int | None] = []
        self.actions: list[np.ndarray] = []
        # Faults: at which step of the episode, counted from 0.
        self.stop_at: int | None = None
        self.nan_at: int | None = None
        self.stop_is_terminal = False
        self._frames, self._max_steps = frames, max_steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        assert self.stop_reason is None, "moved while a stop was latched"
        self.seeds.append(seed)
        self._position = self.np_random.uniform(-1, 1, 2)
        self._goal = self.np_random.uniform(-1, 1, 2)
        self._steps = 0
        return self._observe(), self._info(False)

    def step(self, action):
        self.actions.append(np.array(action))
        self._position = np.clip(self._position + STEP * np.asarray(action, np.float64), -2, 2)
        self.clock.sleep_until(self.clock.now_ns() + round(self.control_period_s * 1e9))
        if self._steps == self.stop_at:
            self.stop_reason = "force_limit"
        self._steps += 1
        success = bool(np.linalg.norm(self._goal - self._position) < STEP) and not self.stop_reason
        terminated = success or bool(self.stop_reason and self.stop_is_terminal)
        truncated = not terminated and (bool(self.stop_reason) or self._steps >= self._max_steps)
        info = self._info(success) | {"gated_command": self._position.astype(np.float32)}
        return self._observe(), float(success), terminated, truncated, info

    def hold(self):
        self.holds += 1

    def resume(self, since=None):
        self.stop_reason = None
        return True

    def _observe(self):
        position = np.full(2, np.nan) if self._steps - 1 == self.nan_at else self._position
        observation = {"position": position.astype(np.float32)}
        observation["to_goal"] = (self._goal - self._position).astype(np.float32)
        if self._frames:
            observation["camera"] = np.full((8, 8, 3), self._steps, np.uint8)
        return observation

    def _info(self, success):
        return {
            "success": success,
            "progress": float(np.linalg.norm(self._goal - self._position)),
            "stop_reason": self.stop_reason or "",
            "reward_terms": {"reached": float(success), "unknown": 7.0},
            "truth": {},
        }


class Helper:
    """An operator that walks straight to the goal, in the steps that `engaged` chooses."""

    def __init__(self, engaged=lambda step: True) -> None:
        self.engaged, self.step = engaged, 0
        self.asked: list[str] = []
        self.refusals = 0

    def reset(self, info):
        self.step = 0

    def act(self, observation, info, policy_action):
        self.step += 1
        if not self.engaged(self.step - 1):
            return None
        return np.clip(observation["to_goal"] / STEP, -1, 1).astype(np.float32)

    def may_resume(self, stop_reason):
        self.asked.append(stop_reason)
        self.refusals -= 1
        return self.refusals < 0

    def wants_park(self):
        return False


class Tired(Helper):
    """Asks for a break when told so, and ends it at once."""

    def __init__(self):
        super().__init__()
        self.parks = False

    def wants_park(self):
        wanted, self.parks = self.parks, False
        return wanted


class ParkedEnv(PointEnv):
    """Has a place for breaks, and something against going on as often as told."""

    objections = 0

    def __init__(self):
        super().__init__()
        self.calls = []

    def park(self):
        self.calls.append("park")

    def preflight(self):
        self.calls.append("preflight")
        self.objections -= 1
        return "stale_state (joint_states)" if self.objections >= 0 else ""
