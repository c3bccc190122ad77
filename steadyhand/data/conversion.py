"""Conversion of one foreign episode to the arrays that a demo set takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steadyhand.data.foreign import ForeignDataError, ForeignEpisode
from steadyhand.data.gripper_presses import wanted_states
from steadyhand.data.mapping import Plan, Source
from steadyhand.transport.schema import FieldSpec

__all__ = ["Converted", "convert"]

ROUNDING = 1e-5  # by which a scaled action may leave [-1, 1] for the number's own rounding


@dataclass(frozen=True)
class Converted:
    """One episode of T steps as `DemoSetWriter.add_episode` takes it.

    Attributes:
        observations: By the schema's names, (T + 1, ...).
        actions: (T, A) float32 within [-1, 1].
        rewards: (T,) float32.
        terminated: Whether the last step ended the task.
        success: Whether the task succeeded.
        repeated_last: Whether the last observation is a copy of the one before, because the set has none.
        made_rewards: Whether the rewards were made of the success mark.
    """

    observations: dict[str, NDArray[Any]]
    actions: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminated: bool
    success: bool
    repeated_last: bool
    made_rewards: bool


def convert(episode: ForeignEpisode, plan: Plan) -> Converted:
    """Convert one episode.

    Raises:
        ForeignDataError: Its values do not fit the schema; the line names the episode and the remedy.
    """
    actions = _actions(episode, plan)
    steps = len(actions)
    if not steps:
        raise ForeignDataError(f"{episode.name}: expected at least one step, found none; leave it out with --episodes")
    observations, repeated = {}, False
    for one in plan.schema.observation:
        values = _field(one, plan.observations[one.name], episode)
        if len(values) == steps:
            values, repeated = np.concatenate([values, values[-1:]]), True
        if len(values) != steps + 1:
            raise ForeignDataError(
                f"{episode.name}: expected {one.name} of {steps} steps, found {len(values)}; mend the data set"
            )
        observations[one.name] = values
    success = _success(episode, plan)
    made = plan.choices.rewards == "sparse" or episode.rewards is None
    rewards = np.zeros(steps, np.float32) if made else np.asarray(episode.rewards, np.float32)
    if made:
        rewards[-1] = float(success)
    if rewards.shape != (steps,) or not np.isfinite(rewards).all():
        raise ForeignDataError(
            f"{episode.name}: expected {steps} finite rewards, found others; give --rewards sparse in their place"
        )
    terminated = success if episode.terminated is None else episode.terminated
    return Converted(observations, actions, rewards, terminated, success, repeated, made)


def _actions(episode: ForeignEpisode, plan: Plan) -> NDArray[np.float32]:
    values = _part(episode.actions[plan.action.key], plan.action)
    axes = plan.schema.action.shape[0]
    if values.dtype.kind not in "biuf" or values.ndim != 2 or values.shape[1] != axes or not np.isfinite(values).all():
        raise ForeignDataError(
            f"{episode.name}: expected finite actions of {axes} numbers, found {values.shape} {values.dtype} or NaN; "
            "leave it out with --episodes"
        )
    low, high = plan.choices.action_low, plan.choices.action_high
    if low is not None and high is not None:
        lows, highs = np.asarray(low, np.float64), np.asarray(high, np.float64)
        values = 2.0 * (values.astype(np.float64) - lows) / (highs - lows) - 1.0
    actions = values.astype(np.float32)
    if not (np.abs(actions) <= 1.0 + ROUNDING).all():
        worst = int(np.argmax(np.abs(actions).max(axis=0)))
        column = _part(episode.actions[plan.action.key], plan.action)[:, worst]
        raise ForeignDataError(
            f"{episode.name}: expected actions within [-1, 1] or --action-range, found axis {worst} from "
            f"{column.min():g} to {column.max():g}; give --action-range LOW HIGH in the units of the data set"
        )
    return wanted_states(np.clip(actions, -1.0, 1.0), plan.presses, plan.choices.gripper_start)


def _field(one: FieldSpec, where: Source, episode: ForeignEpisode) -> NDArray[Any]:
    values = _part(episode.observations[where.key], where)
    if one.is_image:
        return _pictures(values, one.shape, episode.name)
    if values.shape[1:] == (1, *one.shape):  # a stack of one
        values = values[:, 0]
    if values.shape[1:] != one.shape or values.dtype.kind not in "biuf":
        raise ForeignDataError(
            f"{episode.name}: expected {one.name} {one.shape}, found {values.shape[1:]} {values.dtype}; "
            "leave it out with --episodes"
        )
    narrow = values.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise ForeignDataError(
            f"{episode.name}: expected finite numbers in {one.name}, found others; leave it out with --episodes"
        )
    return narrow


def _pictures(values: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    """Return RGB pictures (n, h, w, 3) of the wanted size."""
    if values.ndim == 5 and values.shape[1] == 1:  # a stack of one
        values = values[:, 0]
    if values.ndim == 4 and values.shape[1] == 3 and values.shape[3] != 3:
        values = values.transpose(0, 2, 3, 1)
    if values.ndim != 4 or values.shape[3] != 3 or values.dtype != np.uint8:
        raise ForeignDataError(f"{name}: expected pictures (h, w, 3) uint8, found {values.shape[1:]} {values.dtype}")
    if values.shape[1:] == shape:
        return values
    size = (shape[1], shape[0])
    scaled = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BILINEAR)) for one in values]
    return np.stack(scaled)


def _success(episode: ForeignEpisode, plan: Plan) -> bool:
    how = plan.choices.success
    if how == "marked":
        if episode.success is None:
            raise ForeignDataError(
                f"{episode.name}: expected a success mark, found none in the data set; say which episodes succeeded: "
                "--success all, --success reward or --success none"
            )
        return episode.success
    if how == "reward":
        if episode.rewards is None:
            raise ForeignDataError(f"{episode.name}: expected rewards for --success reward, found none; see --success")
        return bool((np.asarray(episode.rewards) > 0).any())
    return how == "all"


def _part(values: NDArray[Any], where: Source) -> NDArray[Any]:
    return values if where.end is None else values[:, where.first : where.end]
