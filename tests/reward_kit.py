"""Successful and failed attempts of reach on the mock, recorded as `steadyhand record` does, and rewards of tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.demonstrations import record_demos
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.recording import RecordingConfig
from steadyhand.robot_envs.rewards.reward import Reward, Score
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env

# Episodes of reach that are short: 12 steps are enough to arrive.
REACH = (
    "task=reach",
    "task.drive.max_steps=20",
    "task.settings.goal_range_m=[0.05,0.05,0.04]",
)


class Reacher:
    """Walks to the goal, or in every second episode to a place 2.5 to 5 cm beside it, and stays there."""

    def __init__(self, seed: int = 0, always: bool = False, scale_m: float = 0.01) -> None:
        self._rng, self._always, self._scale_m = np.random.default_rng(seed), always, scale_m
        self._episode = -1

    def reset(self, info):
        self._episode += 1
        away = self._rng.normal(size=3)
        away *= self._rng.uniform(0.025, 0.05) / np.linalg.norm(away)
        self._offset = away * (self._episode % 2 and not self._always)

    def act(self, observation, info, policy_action):
        action = np.zeros(6, np.float32)
        wanted = (info["truth"]["goal"] + self._offset) / self._scale_m
        action[:3] = np.clip(wanted + self._rng.normal(0.0, 0.1, 3), -1.0, 1.0)
        return action

    def may_resume(self, stop_reason):
        return True

    def wants_park(self):
        return False

    def close(self):
        pass


def record_attempts(folder: Path, episodes: int, *overrides: str, seed: int = 0) -> tuple[Path, Path]:
    """Record as many successes as failures, roughly; return the folders of both."""
    config = compose([*REACH, *overrides])
    env = make_robot_env(*REACH, *overrides)
    recording = RecordingConfig(
        episodes, 4 * episodes, 1 << 20, "arm-1", "kit", config["task"], AT_ONCE, reward=config["reward"]
    )
    done, failed = folder / "demos", folder / "demos_failed"
    try:
        record_demos(recording, env, env_schema(env), Reacher(seed), done, seed, lambda: False, failed=failed)
    finally:
        env.close()
    return done, failed


@dataclass(frozen=True)
class NearSettings:
    """Settings of `Near`."""

    distance_m: float


class Near(Reward):
    """Dense: minus the distance to the goal; success within a distance, two steps in a row."""

    settings_type = NearSettings
    reward_terms = ("nearness",)

    def __init__(self, settings: NearSettings) -> None:
        self._settings, self._streak = settings, 0

    def begin(self) -> None:
        self._streak = 0

    def score(self, observation, state, outcome, info) -> Score:
        distance = float(np.linalg.norm(observation["goal"]))
        self._streak = self._streak + 1 if distance < self._settings.distance_m else 0
        return Score(-distance, self._streak >= 2, {"nearness": -distance}, 0.9)
