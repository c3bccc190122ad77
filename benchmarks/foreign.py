"""Environments and scripted experts of other projects, as `task=gym` reads them.

Meta-World (PyPI `metaworld`) brings an expert for each of its tasks. Its entry point is
`benchmarks.foreign:<task name with underscores>`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

__all__ = ["FetchReachExpert", "fetch_reach", "meta_world"]


def meta_world(name: str, seed: int = 0) -> gymnasium.Env[Any, Any]:
    """Make one task of Meta-World's MT1."""
    import metaworld  # noqa: F401  registers its environments

    return gymnasium.make("Meta-World/MT1", env_name=name, seed=seed)


def fetch_reach() -> gymnasium.Env[Any, Any]:
    """Make gymnasium-robotics' FetchReach, whose success is in `info["is_success"]`."""
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    return gymnasium.make("FetchReach-v4", max_episode_steps=50)


class FetchReachExpert:
    """Moves the gripper straight to the goal."""

    GAIN = 8.0  # of the action per metre of distance; an action of 1 moves about 3 cm a step

    def reset(self, info: dict[str, Any]) -> None:
        """Begin a new episode."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float64]:
        """Return the step towards the goal and a gripper that stays as it is. Shape (4,)."""
        distance = observation["desired_goal"] - observation["achieved_goal"]
        return np.append(np.clip(self.GAIN * distance, -1.0, 1.0), 0.0)


def __getattr__(name: str) -> type[Any]:
    """Return the class of the expert of a Meta-World task, such as `drawer_open_v3`."""
    if name.startswith("_"):
        raise AttributeError(name)

    class Expert:
        def reset(self, info: dict[str, Any]) -> None:
            from metaworld.policies import ENV_POLICY_MAP

            self._policy = ENV_POLICY_MAP[name.replace("_", "-")]()

        def act(self, observation: NDArray[Any], info: dict[str, Any]) -> NDArray[np.float64]:
            action: NDArray[np.float64] = np.clip(self._policy.get_action(observation), -1.0, 1.0)
            return action

    return Expert
