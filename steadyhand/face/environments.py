"""Environments for a program: those of a configuration, and gymnasium environments of the caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import gymnasium

from steadyhand.pipeline.environment import make_driven_env
from steadyhand.robot_envs import make
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.gym_env import GymTaskEnv
from steadyhand.robot_envs.make import TaughtEnv
from steadyhand.robot_envs.rewards.reward import find_reward
from steadyhand.runtime.build import ConfigError, build
from steadyhand.settings import compose_settings

__all__ = ["EnvSource", "make_env"]

Env = gymnasium.Env[Any, Any]

# The overrides that an environment of `make_env` was made from.
_MADE: WeakKeyDictionary[Env, tuple[str, ...]] = WeakKeyDictionary()


def make_env(env: Env | str | None = None, *overrides: str) -> TaughtEnv:
    """Make the environment of a configuration, or wrap a gymnasium environment.

    Observations are dictionaries of vectors (n,) float32 and images (h, w, 3) uint8. Actions are (A,) float32 in
    [-1, 1]: for an arm in units of `task.drive.action_scale_m` and `action_scale_rad` a step, for a gymnasium
    environment scaled to its own bounds.

    Args:
        env: The first override, such as `task=reach`, or a gymnasium environment.
        overrides: More overrides. `seed=1` seeds the action space.

    Raises:
        ConfigError: An override is wrong, or the environment has spaces that cannot be recorded.
        RobotError: The robot cannot be reached.
    """
    source = EnvSource.of(env, overrides)
    config = compose_settings(source.overrides).composed
    made = source.make(config)
    _MADE[made] = source.overrides
    return made


@dataclass(frozen=True)
class EnvSource:
    """The caller's environment, or None, and the overrides of its configuration."""

    env: Env | None
    overrides: tuple[str, ...]

    @classmethod
    def of(cls, env: Env | str | None, overrides: tuple[str, ...]) -> EnvSource:
        """Sort the arguments of a public function.

        Raises:
            ConfigError: The environment was not made by `make_env`, and is no foreign environment.
        """
        if env is None or isinstance(env, str):
            return cls(None, (*((env,) if env else ()), *overrides))
        if not isinstance(env, gymnasium.Env):
            raise ConfigError(
                "env: expected an override such as 'task=reach' or a gymnasium environment, "
                f"found a {type(env).__name__}"
            )
        if env in _MADE:
            return cls(env, (*_MADE[env], *overrides))
        if isinstance(env, (RobotEnv, GymTaskEnv)):
            raise ConfigError(
                f"env: expected one that steadyhand.make_env has made, found a {type(env).__name__} made otherwise; "
                "make it with steadyhand.make_env, or give its overrides"
            )
        return cls(env, (*task_overrides(env), *overrides))

    def make(self, config: Mapping[str, Any], drives: bool = False) -> TaughtEnv:
        """Return the caller's environment, wrapped for Steadyhand, or make the one of `config`.

        With `drives` a run follows, and moved cameras are refused (`make_driven_env`).
        """
        seed = int(config["seed"])
        if self.env is None:
            return make_driven_env(config, seed) if drives else make.make_env(config, seed)
        if isinstance(self.env, (RobotEnv, GymTaskEnv)):
            return self.env
        reward = find_reward(config["reward"]).make()
        wrapped = GymTaskEnv(self.env, build(GymTaskConfig, config["task"], "task"), reward)
        wrapped.action_space.seed(seed)
        return wrapped

    @contextmanager
    def opened(self, config: Mapping[str, Any]) -> Iterator[TaughtEnv]:
        """Make the environment, and close it afterwards unless it belongs to the caller."""
        env = self.make(config, drives=True)
        try:
            yield env
        finally:
            if self.env is None:
                env.close()


def task_overrides(env: Env) -> tuple[str, ...]:
    """Return the overrides that describe a gymnasium environment.

    An environment of the registry is named by its id and arguments, so that other processes can make it again. Any
    other, including one with the caller's wrappers, is named by its class.

    Raises:
        ConfigError: An argument is no plain value.
    """
    spec = env.spec
    if spec is None or spec.additional_wrappers:
        cls = type(env)
        return ("task=gym", f"task.entry_point={cls.__module__}:{cls.__qualname__.replace('<locals>.', '')}")
    arguments = {"id": spec.id, **spec.kwargs}
    if spec.max_episode_steps is not None:
        arguments["max_episode_steps"] = spec.max_episode_steps
    return ("task=gym", "task.entry_point=gymnasium:make", f"task.arguments={_text(arguments)}")


def _text(value: Any) -> str:
    """Write a plain value as Hydra reads it.

    Raises:
        ConfigError: It is no plain value.
    """
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        escaped = value.replace("\\'", "\\\\'").replace("'", "\\'")
        return f"'{escaped}'"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_text(item)}' for name, item in value.items())}}}"
    raise ConfigError(
        f"env: expected plain arguments to gymnasium.make, found a {type(value).__name__}; "
        "register the environment with it, or give a class of your own"
    )
