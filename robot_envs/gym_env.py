"""Adapter from any gymnasium environment to the actor: Dict observations, Box(-1, 1) actions, ``success``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.foreign_code import ForeignCodeError, call_entry_point, one_line
from steadyhand.robot_envs.gym_actions import ActionScaling
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.gym_fields import ObservationError, SpaceError
from steadyhand.robot_envs.gym_results import SUCCESS_KEYS, as_number, as_reset, as_step, reported_success
from steadyhand.robot_envs.gym_spaces import observed_fields
from steadyhand.robot_envs.rewards.reward import Reward
from steadyhand.robot_envs.rewards.scoring import Scoring
from steadyhand.robot_envs.safety.stop_latch import StopLatch
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.robot_envs.teachable import StopLatchedError
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import FakeClock
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.logging import get_logger, quoted

__all__ = ["GymTaskEnv", "make_gym_env"]

Observation = dict[str, NDArray[Any]]
MAX_FRAME_TEXT = 64  # characters of a field's frame in a schema
ENDLESS = 10_000  # steps of an episode after which a time limit is probably missing

logger = get_logger("gym_env")


class GymTaskEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """Adapter around a foreign environment, the inner environment.

    It fulfils the contract of ``teachable.py``. A stop ends the running episode before the inner environment is stepped
    again. No episode starts while a stop is latched.

    Args:
        env: The inner environment.
        config: Its settings.
        reward: Scores every step after the inner environment.

    Raises:
        ConfigError: `env` is no environment, its spaces are not supported, or the reward does not fit it.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], config: GymTaskConfig, reward: Reward) -> None:
        _check_env(env)
        if config.max_steps is not None:
            env = gymnasium.wrappers.TimeLimit(env, config.max_steps)
        self.inner = env
        self._config = config
        try:
            self._actions = ActionScaling(env.action_space, config.action_bound)
            self._fields = observed_fields(env.observation_space)
        except SpaceError as error:
            raise ConfigError(f"task.entry_point: {error}") from None
        boxes: dict[str, spaces.Space[Any]] = {field.name: field.reader.space for field in self._fields}
        self.observation_space = spaces.Dict(boxes)  # type: ignore[assignment]  # Dict is a Space of dicts
        self.action_shape = self._actions.shape
        self.action_space = spaces.Box(-1.0, 1.0, (self._actions.size,), np.float32)
        frame = config.entry_point[-MAX_FRAME_TEXT:]
        self.field_specs = {field.name: ("", frame, field.reader.scale) for field in self._fields}
        self.command_size = self._actions.size
        self.control_period_s = config.control_period_s
        self.clock = FakeClock()  # counted in steps
        self._scoring = Scoring(
            reward,
            (),
            self.observation_space,
            self.field_specs,
            self.control_period_s,
            task_latches=config.terminate_on_success,
        )
        self.reward_terms = self._scoring.reward_terms
        self.lockstep = True
        self.privileged: tuple[str, ...] = ()
        self.gripper_entries: tuple[int, ...] = ()
        self.commanded_grippers = np.zeros(0)
        # In a foreign environment, an action of zero may command any position.
        self.motion_entries = np.zeros(self._actions.size, np.bool_)
        self._latch = StopLatch()
        self._streak = self._steps = 0
        self._reports_success = config.success_reward is not None  # as far as is known
        self._warned: set[str] = set()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode of the inner environment.

        Raises:
            ForeignCodeError: The inner environment raised, or returned a value outside its spaces.
            StopLatchedError: A stop is latched; call ``resume`` when the operator confirms that it is safe.
        """
        super().reset(seed=seed)
        if self._latch.reason is not None:
            raise StopLatchedError(f"stopped ({self._latch.reason.value}); resume before the next episode")
        with one_line("reset of the environment"):
            raw, info = as_reset(self.inner.reset(seed=seed, options=options))
        self._newest = raw, info
        self._streak = self._steps = 0
        outer_info = self._info(raw, info)
        facts = self._scoring.begin(_outcome(0.0, False, outer_info), self._reports_success)
        return self._outer(raw), outer_info | facts

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Scale the action to the inner environment's bounds, and step the environment.

        Raises:
            ForeignCodeError: As in `reset`.
        """
        if self._latch.reason is not None:
            return self._refuse(self._latch.reason)
        if not np.isfinite(action).all():
            return self._refuse(StopReason.NON_FINITE_ACTION)
        inner = self._actions.to_inner(action)
        command = inner.astype(np.float32).ravel()  # before the environment can modify it
        with one_line("step of the environment"):
            raw, reward, terminated, truncated, info = as_step(self.inner.step(inner))
        self._newest = raw, info
        self._steps += 1
        self.clock.advance_ns(round(self.control_period_s * 1e9))
        success = self._succeeded(reward, info)
        own_reward = float(success) if self._config.reward == "success" else reward
        outer, outer_info = self._outer(raw), self._info(raw, info)
        outcome = _outcome(own_reward, success, outer_info)
        is_last = terminated or truncated
        score, facts = self._scoring.score(outer, None, outcome, outer_info, self._reports_success, is_last)
        terminated = terminated or (score.success and self._config.terminate_on_success)
        self._note_end(info, terminated or truncated)
        facts |= {"gated_command": command, "overrun": False}
        return outer, score.reward, terminated, truncated and not terminated, outer_info | facts

    def _refuse(self, reason: StopReason) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Truncate the episode; the action never reaches the inner environment."""
        raw, info = self._newest
        refused = self._info(raw, info)
        _, facts = self._scoring.stopped(_outcome(0.0, False, refused), self._reports_success)
        facts |= {"stop_reason": reason.value, "gated_command": np.zeros(self.command_size, np.float32)}
        return self._outer(raw), 0.0, False, True, refused | facts

    def to_outer(self, action: NDArray[np.float64]) -> NDArray[np.float32]:
        """Normalise an action of the inner environment. Shape (A,)."""
        return self._actions.to_outer(action)

    @property
    def stop_reason(self) -> StopReason | None:
        """Reason of the latched stop; None while nothing is latched."""
        return self._latch.reason

    @property
    def stops(self) -> int:
        """Number of stops so far, for `resume`."""
        return self._latch.stops

    def stop(self, reason: StopReason) -> None:
        """Latch a stop, from any thread."""
        self._latch.stop(reason)

    def resume(self, since: int | None = None) -> bool:
        """Clear the latched stop unless another one came after `since`; return True when none is latched now."""
        return self._latch.resume(since)

    def hold(self) -> None:
        """Do nothing: time passes only in ``step``."""

    def park(self) -> None:
        """Do nothing: there is no arm to park."""

    def preflight(self) -> str:
        """Return "": there is no objection to resuming after a break."""
        return ""

    def close(self) -> None:
        """Close the inner environment."""
        try:
            self.inner.close()
        except Exception as error:
            logger.warning("closing the environment failed: %s", quoted(f"{type(error).__name__}: {error}", 200))

    def _succeeded(self, reward: float, info: Mapping[str, Any]) -> bool:
        if self._config.success_reward is None:
            reported = reported_success(info)
            self._reports_success |= reported is not None
            success = bool(reported)
        else:
            success = reward >= self._config.success_reward
        self._streak = self._streak + 1 if success else 0
        return self._streak >= self._config.success_steps

    def _note_end(self, info: Mapping[str, Any], ended: bool) -> None:
        """Log a warning if episodes cannot end, or can never count as a success."""
        if ended and not self._reports_success and not self._scoring.judges:
            self._warn(
                "success",
                f"success: expected {' or '.join(SUCCESS_KEYS)} in the environment's info, found "
                f"{', '.join(map(str, info)) or 'nothing'}; no episode counts as a success; "
                "give task.success_reward=...",
            )
        if self._steps == ENDLESS:
            self._warn("endless", f"an episode has run for {ENDLESS} steps; give a time limit with task.max_steps=...")

    def _warn(self, about: str, line: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            logger.warning("%s", line)

    def _info(self, raw: Any, info: Mapping[str, Any]) -> dict[str, Any]:
        own = {"stop_reason": "", "truth": {"observation": raw, "info": dict(info)}}
        progress = info.get("progress")
        return own if progress is None else own | {"progress": as_number(progress, "info['progress']")}

    def _outer(self, raw: Any) -> Observation:
        outer: Observation = {}
        for field in self._fields:
            try:
                outer[field.name] = field.read(raw)
            except ObservationError as error:
                raise ForeignCodeError(f"observation of the environment: {error}") from None
            if field.reader.strays(outer[field.name]):
                self._warn(
                    field.name,
                    f"observation {field.name}: expected values within the bounds of its space, found others; "
                    "they are recorded as they are, correct the space",
                )
        return outer


def _outcome(reward: float, success: bool, info: Mapping[str, Any]) -> Outcome:
    """Return the inner environment's own outcome; progress is NaN if the info has none."""
    return Outcome(reward, success, float(info.get("progress", np.nan)))


def make_gym_env(config: GymTaskConfig, reward: Reward) -> GymTaskEnv:
    """Construct the foreign environment that the configuration names.

    Raises:
        ConfigError: The environment cannot be constructed, or is not supported.
    """
    entry = load_entry_point(config.entry_point, "task.entry_point")
    try:
        env = call_entry_point(entry, config.arguments or {}, "task.entry_point", "task.arguments")
    except ConfigError as error:
        if isinstance(error.__cause__, gymnasium.error.UnregisteredEnv):
            name = quoted((config.arguments or {}).get("id"))
            raise ConfigError(
                f"task.arguments: expected the id of a registered environment, found {name} "
                f"({' '.join(str(error.__cause__).split())}); one of another package is written "
                "task.arguments={id:'package:Name-v0'}, which imports the package first"
            ) from error
        raise
    return GymTaskEnv(env, config, reward)


def _check_env(env: Any) -> None:
    if not isinstance(env, gymnasium.Env):
        several = isinstance(env, gymnasium.vector.VectorEnv)
        advice = "make one" if several else "one of the older gym package has to be wrapped, for example with shimmy"
        raise ConfigError(
            f"task.entry_point: expected one gymnasium.Env, found {type(env).__module__}.{type(env).__name__}; {advice}"
        )
    for name in ("observation_space", "action_space"):
        try:
            space = getattr(env, name, None)
        except Exception as error:
            raise ConfigError(f"task.entry_point: {name} raised {type(error).__name__}: {quoted(error)}") from error
        if not isinstance(space, spaces.Space):
            raise ConfigError(
                f"task.entry_point: expected an environment with a gymnasium space as its {name}, found "
                f"{type(space).__name__}"
            )
