"""Any gymnasium environment in the terms of the actor: Dict observations, Box(-1, 1) actions, ``success``."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from runtime.config import ConfigError
from runtime.logging import quoted

Observation = dict[str, NDArray[Any]]
ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_SUCCESS_KEYS = ("success", "is_success")
_FAR = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class GymTaskConfig:
    """How a foreign environment is taught.

    Attributes:
        kind: gym.
        entry_point: ``package.module:function`` that makes the environment; ``gymnasium:make`` for a registered one.
        arguments: Keyword arguments for it; null = none.
        expert: ``package.module:Class`` with ``reset(info)`` and ``act(observation, info)``, in the environment's own
            observations and actions; null = nobody demonstrates or corrects.
        control_period_s: What one step stands for.
        max_steps: Steps after which an episode is truncated; null = the environment's own limit.
        reward: env = the environment's reward; success = 1 on success, else 0.
        success_reward: A step reward of at least this counts as success; null = success comes from ``info``.
        success_steps: Steps in a row that must count.
        terminate_on_success: Whether success ends the episode as terminated.
    """

    kind: Literal["gym"]
    entry_point: str
    arguments: dict[str, Any] | None
    expert: str | None
    control_period_s: float
    max_steps: int | None
    reward: Literal["env", "success"]
    success_reward: float | None
    success_steps: int
    terminate_on_success: bool


def load_entry_point(text: str, where: str) -> Callable[..., Any]:
    """Import ``package.module:name``. That runs the module's code: the text must come from whoever runs the program.

    Raises:
        ConfigError: The text is not of that form, or there is nothing of that name.
    """
    if ENTRY_POINT.fullmatch(text) is None:
        raise ConfigError(f"{where}: expected package.module:name, found {quoted(text)}")
    module_name, _, name = text.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{where}: cannot import {module_name!r} ({error}); is it installed and on PYTHONPATH?"
        ) from None
    if not hasattr(module, name):
        raise ConfigError(f"{where}: module {module_name!r} has no {name!r}")
    entry: Callable[..., Any] = getattr(module, name)
    return entry


class GymTaskEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """The inner environment in the actor's terms.

    ``unwrapped`` stays this object: the actor asks it for ``field_specs`` and the like.

    Raises:
        ConfigError: The spaces are not Box or Dict of Box, or the action is not a bounded Box.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], config: GymTaskConfig) -> None:
        if config.max_steps is not None:
            env = gymnasium.wrappers.TimeLimit(env, config.max_steps)
        self.inner = env
        self._config = config
        self._inner_action = _bounded_box(env.action_space)
        self._inner_fields = _fields(env.observation_space)
        boxes: dict[str, spaces.Space[Any]] = {name: _outer_box(box) for name, box in self._inner_fields.items()}
        self.observation_space = spaces.Dict(boxes)  # type: ignore[assignment]  # Dict is a Space of dicts
        self.action_space = spaces.Box(-1.0, 1.0, (int(np.prod(self._inner_action.shape)),), np.float32)
        self.field_specs = {name: ("", config.entry_point, _scale(box)) for name, box in self._inner_fields.items()}
        self.command_size = int(np.prod(self._inner_action.shape))
        self.control_period_s = config.control_period_s
        self.clock = _StepClock()
        self.reward_terms: tuple[str, ...] = ()
        self.lockstep = True
        self._streak = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode of the inner environment."""
        super().reset(seed=seed)
        raw, info = self.inner.reset(seed=seed, options=options)
        self._newest = raw, info
        self._streak = 0
        return self._outer(raw), self._info(raw, info, success=False)

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Scale the action to the inner environment's bounds and step it."""
        if not np.isfinite(action).all():
            return self._refuse()
        inner = self.to_inner(np.asarray(action, np.float64))
        raw, reward, terminated, truncated, info = self.inner.step(inner)
        self._newest = raw, info
        self.clock.advance(self.control_period_s)
        success = self._succeeded(float(reward), info)
        terminated = terminated or (success and self._config.terminate_on_success)
        outer_reward = float(success) if self._config.reward == "success" else float(reward)
        outer_info = self._info(raw, info, success) | {
            "gated_command": inner.astype(np.float32).ravel(),
            "overrun": False,
        }
        return self._outer(raw), outer_reward, bool(terminated), bool(truncated and not terminated), outer_info

    def _refuse(self) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """An action that is not finite never reaches the inner environment; the episode is cut short."""
        raw, info = self._newest
        refused = self._info(raw, info, success=False)
        refused |= {"stop_reason": "non_finite_action", "gated_command": np.zeros(self.command_size, np.float32)}
        return self._outer(raw), 0.0, False, True, refused

    def to_inner(self, action: NDArray[np.float64]) -> NDArray[Any]:
        """A normalised action in the inner environment's units and shape."""
        low, high = self._inner_action.low, self._inner_action.high
        scaled = low + (np.clip(action.reshape(low.shape), -1.0, 1.0) + 1.0) / 2.0 * (high - low)
        return scaled.astype(self._inner_action.dtype)

    def to_outer(self, action: Any) -> NDArray[np.float32]:
        """An inner action, normalised. Shape (A,)."""
        low, high = self._inner_action.low, self._inner_action.high
        scaled = (np.asarray(action, np.float64).reshape(low.shape) - low) / (high - low) * 2.0 - 1.0
        return np.clip(scaled, -1.0, 1.0).astype(np.float32).ravel()

    def resume(self) -> None:
        """Nothing is ever stopped here."""

    def hold(self) -> None:
        """Time only passes in ``step``."""

    def close(self) -> None:
        """Close the inner environment."""
        self.inner.close()

    def _succeeded(self, reward: float, info: Mapping[str, Any]) -> bool:
        if self._config.success_reward is None:
            return any(bool(info.get(key, False)) for key in _SUCCESS_KEYS)
        self._streak = self._streak + 1 if reward >= self._config.success_reward else 0
        return self._streak >= self._config.success_steps

    def _info(self, raw: Any, info: Mapping[str, Any], success: bool) -> dict[str, Any]:
        own = {
            "success": success,
            "stop_reason": "",
            "reward_terms": {},
            "truth": {"observation": raw, "info": dict(info)},
        }
        progress = info.get("progress")
        return own if progress is None else own | {"progress": float(progress)}

    def _outer(self, raw: Any) -> Observation:
        parts = raw if isinstance(raw, Mapping) else {"state": raw}
        outer: Observation = {}
        for name, box in self._inner_fields.items():
            value = np.asarray(parts[name])
            outer[name] = value if _is_frame(box) else value.astype(np.float32).ravel()
        return outer


class _StepClock:
    """Time is counted in steps; there is nothing to wait for."""

    def __init__(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        pass

    def advance(self, seconds: float) -> None:
        self._now_ns += round(seconds * 1e9)


class ForeignExpert:
    """A user's expert, in the actor's terms: it sees its own environment's observation and info."""

    def __init__(self, expert: Any, env: GymTaskEnv) -> None:
        self._expert = expert
        self._env = env

    def reset(self, info: dict[str, Any]) -> None:
        """A new episode of the inner environment starts."""
        self._expert.reset(info["truth"]["info"])

    def act(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """The expert's action, normalised. Shape (A,)."""
        truth = info["truth"]
        return self._env.to_outer(self._expert.act(truth["observation"], truth["info"]))


def make_gym_env(config: GymTaskConfig) -> GymTaskEnv:
    """Make the foreign environment that the configuration names."""
    return GymTaskEnv(load_entry_point(config.entry_point, "task.entry_point")(**(config.arguments or {})), config)


def _bounded_box(space: Any) -> spaces.Box:
    if not isinstance(space, spaces.Box) or not np.isfinite(space.low).all() or not np.isfinite(space.high).all():
        raise ConfigError(f"task.entry_point: expected an environment with a bounded Box action, found {space}")
    return space


def _fields(space: Any) -> dict[str, spaces.Box]:
    parts: dict[str, Any] = dict(space.spaces) if isinstance(space, spaces.Dict) else {"state": space}
    for name, part in parts.items():
        if not isinstance(part, spaces.Box):
            raise ConfigError(
                f"task.entry_point: expected Box or a flat Dict of Box observations, found {name}: {part}"
            )
    return parts


def _is_frame(box: spaces.Box) -> bool:
    return box.dtype == np.uint8 and len(box.shape) == 3


def _scale(box: spaces.Box) -> tuple[float, ...]:
    """Half of the largest value that each element may have; () where one is not bounded."""
    largest = np.maximum(np.abs(box.low), np.abs(box.high)).astype(np.float64).ravel()
    known = not _is_frame(box) and bool(((largest > 0.0) & (largest < _FAR)).all())
    return tuple((largest / 2.0).tolist()) if known else ()


def _outer_box(box: spaces.Box) -> spaces.Box:
    if _is_frame(box):
        return box
    # Infinite bounds have no JSON form; the schema wants numbers.
    low = np.clip(box.low.astype(np.float64).ravel(), -_FAR, _FAR).astype(np.float32)
    high = np.clip(box.high.astype(np.float64).ravel(), -_FAR, _FAR).astype(np.float32)
    return spaces.Box(low, high, dtype=np.float32)
