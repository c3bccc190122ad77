"""Environments and scripted experts of other projects, as `task=gym` reads them.

Meta-World (PyPI `metaworld`) brings an expert for each of its tasks. Its entry point is
`benchmarks.foreign:<task name with underscores>`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FetchPickAndPlaceExpert",
    "FetchReachExpert",
    "PandaPickCubeExpert",
    "fetch_pick_and_place",
    "fetch_reach",
    "meta_world",
    "panda_pick_cube",
]


def meta_world(name: str, seed: int = 0) -> gymnasium.Env[Any, Any]:
    """Make one task of Meta-World's MT1."""
    import metaworld  # noqa: F401  registers its environments

    return gymnasium.make("Meta-World/MT1", env_name=name, seed=seed)


def fetch_reach() -> gymnasium.Env[Any, Any]:
    """Make gymnasium-robotics' FetchReach, whose success is in `info["is_success"]`."""
    return _fetch("FetchReach-v4")


def fetch_pick_and_place() -> gymnasium.Env[Any, Any]:
    """Make gymnasium-robotics' FetchPickAndPlace, whose success is in `info["is_success"]`."""
    return _fetch("FetchPickAndPlace-v4")


def _fetch(name: str) -> gymnasium.Env[Any, Any]:
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    return gymnasium.make(name, max_episode_steps=50)


def panda_pick_cube() -> gymnasium.Env[Any, Any]:
    """Make gym-hil's PandaPickCube at random places of the cube: the task of LeRobot's guide to HIL-SERL in simulation.

    The cube's place comes from numpy's global generator, which each reset with a seed seeds here. The success is in
    `info["succeed"]`.
    """
    import gym_hil  # registers its environments

    class Seeded(gymnasium.Wrapper[Any, Any, Any, Any]):
        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[Any, dict[str, Any]]:
            if seed is not None:
                np.random.seed(seed)  # noqa: NPY002  the environment draws from it
            return self.env.reset(seed=seed, options=options)

    env = gym_hil.wrap_env(gym_hil.envs.PandaPickCubeGymEnv(random_block_position=True), gripper_penalty=0.0)
    return Seeded(gymnasium.wrappers.TimeLimit(env, 100))


class FetchReachExpert:
    """Moves the gripper straight to the goal."""

    GAIN = 8.0  # of the action per metre of distance; an action of 1 moves about 3 cm a step

    def reset(self, info: dict[str, Any]) -> None:
        """Begin a new episode."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float64]:
        """Return the step towards the goal and a gripper that stays as it is. Shape (4,)."""
        distance = observation["desired_goal"] - observation["achieved_goal"]
        return np.append(np.clip(self.GAIN * distance, -1.0, 1.0), 0.0)


class FetchPickAndPlaceExpert:
    """Opens the gripper above the block, goes down, closes, and carries it to the goal; begins anew without it.

    It acts from the observation alone: what comes next shows in the place of the gripper and the width of its fingers.
    """

    GAIN = 8.0  # of the action per metre of distance
    ABOVE_M, NEAR_M = 0.06, 0.012  # height of the approach, distance that counts as arrived
    LOST_M = 0.03  # distance at which a closed gripper does not hold the block
    HELD_M = (0.040, 0.052)  # opening of the gripper around the block, which is 0.050 wide
    OPEN_M = 0.090  # opening below which the gripper has begun to close

    def reset(self, info: dict[str, Any]) -> None:
        """Begin a new episode."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float64]:
        """Return the step of the gripper and its opening (-1 closes). Shape (4,)."""
        gripper, block = observation["observation"][:3], observation["achieved_goal"]
        opening_m, away = float(observation["observation"][9:11].sum()), block - gripper
        is_near = np.linalg.norm(away) < self.LOST_M
        if is_near and self.HELD_M[0] < opening_m < self.HELD_M[1]:
            return self._step(observation["desired_goal"] - block, -1.0)
        is_closing = self.HELD_M[0] < opening_m < self.OPEN_M
        if np.linalg.norm(away) < self.NEAR_M or (is_near and is_closing):
            return self._step(away, -1.0)
        if np.linalg.norm(away[:2]) > self.NEAR_M:
            away = away + np.array([0.0, 0.0, self.ABOVE_M])
        return self._step(away, 1.0)

    def _step(self, distance: NDArray[Any], opening: float) -> NDArray[np.float64]:
        return np.append(np.clip(self.GAIN * distance, -1.0, 1.0), opening)


class PandaPickCubeExpert:
    """Goes above the cube with the gripper open, down to it, closes, and lifts; begins anew without it."""

    STEP_M = 0.025  # of an action of 1
    ABOVE_M, NEAR_M = 0.08, 0.012  # height of the approach, distance that counts as arrived
    LOST_M = 0.03  # distance at which a closed gripper does not hold the cube
    CLOSING = 5  # steps
    OPEN, CLOSE = 0.0, 2.0  # the environment subtracts 1 and adds the result to the gripper's command

    def reset(self, info: dict[str, Any]) -> None:
        """Begin a new episode."""
        self._closed = 0

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float64]:
        """Return the step of the tool and the change of the gripper's command. Shape (4,)."""
        away = observation["environment_state"] - observation["agent_pos"][-3:]
        if np.linalg.norm(away) > self.LOST_M:
            self._closed = 0
        if self._closed or np.linalg.norm(away) < self.NEAR_M:
            self._closed += 1
            lifts = self._closed > self.CLOSING
            return self._step(np.array([0.0, 0.0, self.STEP_M]) if lifts else away, self.CLOSE)
        if np.linalg.norm(away[:2]) > self.NEAR_M:
            away = away + np.array([0.0, 0.0, self.ABOVE_M])
        return self._step(away, self.OPEN)

    def _step(self, distance: NDArray[Any], gripper: float) -> NDArray[np.float64]:
        return np.append(np.clip(distance / self.STEP_M, -1.0, 1.0), gripper)


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
