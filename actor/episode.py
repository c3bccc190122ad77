"""One episode as records: a step is appended once its reward and its end flags are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.arbiter import Decision
from steadyhand.transport.record import OBSERVATION, Kind, Phase, record_dtype
from steadyhand.transport.schema import Schema

__all__ = ["Append", "Episode"]

Append = Callable[[NDArray[np.void]], Any]
Observation = Mapping[str, NDArray[Any]]
LARGEST_REWARD = float(np.finfo(np.float32).max)  # the largest that a record can hold


class Episode:
    """Writer of an episode's steps, which refills and appends one record.

    A value that is not finite is stored as zero in a record that is not valid, so that `seq` has no gap.

    Args:
        schema: Schema of the records.
        append: Called with every record; it must copy the record.
    """

    def __init__(self, schema: Schema, append: Append) -> None:
        self._append = append
        self._record = np.zeros((), record_dtype(schema))
        # Views into the record: an assignment to one is a memcpy, without a look-up by name.
        self._fields = {name: self._record[name] for name in self._record.dtype.names or ()}
        self._observed = {field.name: self._fields[OBSERVATION + field.name] for field in schema.observation}
        self._frames = [field.name for field in schema.observation if field.is_image]
        self._vectors = [field.name for field in schema.observation if not field.is_image]
        self._terms = schema.reward_terms
        self._actions = [self._fields[name] for name in ("action", "policy_action", "human_action")]

    def begin(self, episode_id: int, phase: Phase, observation: Observation, stamp_ns: int) -> bool:
        """Start with the observation after a reset; return whether it is finite."""
        self._record[...] = np.zeros((), self._record.dtype)
        self._set(episode_id=episode_id, phase=phase, kind=Kind.STEP)
        return self._observe(observation, stamp_ns)

    def step(
        self,
        decision: Decision,
        policy_version: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        info: Mapping[str, Any],
        valid: bool,
    ) -> bool:
        """Append the step that `decision` was made for; return whether its reward is finite as it is stored.

        Args:
            decision: The action, chosen on the observation that was last passed to `begin` or `advance`.
            policy_version: Version of the policy that proposed an action.
            reward: Reward of this step.
            terminated: Whether the task is over: no return follows from here.
            truncated: Whether the episode was cut off before the task was over.
            info: Info of the environment's step.
            valid: False when a stop that the action did not cause has changed its outcome.
        """
        sound_reward = finite = abs(reward) <= LARGEST_REWARD  # False for NaN too
        for view, action in zip(self._actions, decision[:3], strict=True):
            finite &= _copy_finite(view, action)
        terms = info.get("reward_terms") or {}
        finite &= _copy_finite(self._fields["reward_terms"], [terms.get(name, 0.0) for name in self._terms])
        finite &= _copy_finite(self._fields["gated_command"], info.get("gated_command"))
        self._set(
            has_human=decision.has_human,
            policy_version=policy_version,
            reward=reward if sound_reward else 0.0,
            terminated=terminated,
            truncated=truncated,
            success=valid and finite and bool(info.get("success", False)),
            valid=valid and finite,
        )
        self._append(self._record)
        return sound_reward

    def advance(self, observation: Observation, stamp_ns: int) -> bool:
        """Take in the observation after the step; return whether it is finite."""
        self._fields["step_index"][...] += 1
        return self._observe(observation, stamp_ns)

    def end(self, valid: bool) -> None:
        """Append the observation that ends the episode.

        Args:
            valid: Whether training may use the step before it.
        """
        for name in ("action", "policy_action", "human_action", "gated_command", "reward_terms", "reward"):
            self._fields[name][...] = 0.0
        self._set(kind=Kind.FINAL, has_human=False, terminated=False, truncated=False, success=False, valid=valid)
        self._append(self._record)

    def _observe(self, observation: Observation, stamp_ns: int) -> bool:
        self._fields["stamp_ns"][...] = stamp_ns
        for name in self._frames:
            self._observed[name][...] = observation[name]
        finite = True
        for name in self._vectors:
            finite &= _copy_finite(self._observed[name], observation[name])
        return finite

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            self._fields[name][...] = value


def _copy_finite(view: NDArray[Any], values: Any) -> bool:
    """Copy `values` into `view`, with zero for None and for what is not finite; return whether all were finite."""
    if values is None:
        view[...] = 0.0
        return True
    view[...] = values
    finite = bool(np.isfinite(view).all())
    if not finite:
        np.nan_to_num(view, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return finite
