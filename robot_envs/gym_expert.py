"""Adapter for a user's scripted expert of a foreign environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.foreign_code import ForeignCodeError, as_array, call_entry_point, one_line
from steadyhand.robot_envs.gym_env import GymTaskEnv
from steadyhand.runtime.build import ConfigError

__all__ = ["ForeignExpert", "make_foreign_expert"]


class ForeignExpert:
    """Expert that receives the inner environment's observation and info; its action is normalised."""

    def __init__(self, expert: Any, env: GymTaskEnv) -> None:
        self._expert = expert
        self._env = env

    def reset(self, info: dict[str, Any]) -> None:
        """Start a new episode of the inner environment.

        Raises:
            ForeignCodeError: The expert raised.
        """
        with one_line("task.expert: reset"):
            self._expert.reset(info["truth"]["info"])

    def act(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """Return the expert's action, normalised. Shape (A,).

        Raises:
            ForeignCodeError: The expert raised, or did not return an action of the environment.
        """
        truth, shape = info["truth"], self._env.action_shape
        with one_line("task.expert: act"):
            action = self._expert.act(truth["observation"], truth["info"])
        array = as_array(action, "task.expert: action")
        size = int(np.prod(shape, dtype=np.int64))
        if array.dtype.kind not in "biuf" or array.size != size:
            found = f"shape {array.shape}" if array.dtype.kind in "biuf" else f"a {type(action).__name__}"
            raise ForeignCodeError(f"task.expert: expected an action of shape {shape}, found {found}; correct act")
        numbers = array.astype(np.float64)
        if not np.isfinite(numbers).all():
            raise ForeignCodeError(f"task.expert: expected finite numbers, found {numbers.ravel()[:8]}; correct act")
        return self._env.to_outer(numbers)


def make_foreign_expert(entry: Callable[..., Any], env: GymTaskEnv) -> ForeignExpert:
    """Construct the expert that the configuration names.

    Raises:
        ConfigError: The expert cannot be constructed without arguments, or has no `reset` and `act`.
    """
    expert = call_entry_point(entry, {}, "task.expert", "task.expert: its arguments")
    missing = [name for name in ("reset", "act") if not callable(getattr(expert, name, None))]
    if missing:
        raise ConfigError(
            f"task.expert: expected reset(info) and act(observation, info), found {type(expert).__name__} without "
            f"{' and '.join(missing)}"
        )
    return ForeignExpert(expert, env)
