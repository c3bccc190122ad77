"""The schema of an environment's measurements, derived from its spaces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.observation_kinds import IMAGE, kind_of, misfit
from steadyhand.transport.schema import EntryKind, FieldSpec, Schema, SchemaError

__all__ = ["env_schema"]


def env_schema(env: gymnasium.Env[Any, Any]) -> Schema:
    """Return the schema of one environment.

    `control_period_s`, `field_specs`, `privileged`, `command_size` and `reward_terms` are those of
    `robot_envs.teachable`.

    Raises:
        SchemaError: The spaces are not a Dict of float32 vectors and uint8 frames with a Box(-1, 1) action.
    """
    inner = teachable(env)
    if not isinstance(env.observation_space, spaces.Dict):
        raise SchemaError(f"observation_space: expected a Dict of Boxes, found {type(env.observation_space).__name__}")
    period_s = getattr(inner, "control_period_s", None)
    if period_s is None:
        raise SchemaError(
            f"{type(env.unwrapped).__name__}.control_period_s: expected the time between two steps, found none"
        )
    field_specs = inner.field_specs
    privileged: tuple[str, ...] = inner.privileged
    return Schema(
        observation=tuple(
            replace(_field(name, space, *field_specs.get(name, ("1", "", ()))), privileged=name in privileged)
            for name, space in env.observation_space.items()
        ),
        action=_action(env.action_space, inner.gripper_entries),
        command_size=int(inner.command_size),
        reward_terms=tuple(inner.reward_terms),
        control_period_s=period_s,
    )


def _field(name: str, space: spaces.Space[Any], unit: str, frame: str, scale: tuple[float, ...]) -> FieldSpec:
    if not isinstance(space, spaces.Box):
        raise SchemaError(f"observation {name}: expected a Box, found {type(space).__name__}")
    kind = kind_of(space.shape, space.dtype)
    if kind is None:
        raise SchemaError(f"observation {name}: {misfit(space.shape, space.dtype)}")
    low, high = float(space.low.min()), float(space.high.max())
    return FieldSpec(name, space.shape, kind.dtype, low, high, unit, frame, () if kind is IMAGE else scale)


def _action(space: spaces.Space[Any], grippers: Collection[int]) -> FieldSpec:
    if not isinstance(space, spaces.Box) or space.dtype != np.float32 or len(space.shape) != 1:
        raise SchemaError(f"action_space: expected Box(-1, 1, (A,), float32), found {space}")
    if not ((space.low == -1.0).all() and (space.high == 1.0).all()):
        raise SchemaError(f"action_space: expected bounds of -1 and 1, found {space}")
    kinds: list[EntryKind] = ["gripper" if index in grippers else "motion" for index in range(space.shape[0])]
    return FieldSpec("action", space.shape, "float32", -1.0, 1.0, "1", "", kinds=tuple(kinds) if grippers else ())
