"""The contract of an environment for training: the members that the actor needs beyond gymnasium's own interface.

`RobotEnv` and `GymTaskEnv` fulfil all of it. They may be inside a gymnasium wrapper: the actor takes each member from
the outermost layer that has it. So a wrapper adds or replaces a member by defining one of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.clock import Clock

__all__ = ["MEMBERS", "EndedError", "FieldSpecs", "StopLatchedError", "Teachable", "missing_members", "teachable"]

FieldSpecs = Mapping[str, tuple[str, str, tuple[float, ...]]]  # unit, frame, scale by name of an observation


class StopLatchedError(RuntimeError):
    """Error of a reset while a stop is latched; the operator has to resume before the next episode."""


class EndedError(Exception):
    """Interruption of a reset that waits for the operator, because the process has to end; nothing was reset."""


class Teachable(Protocol):
    """Members of an environment that the actor uses, besides `reset`, `step`, `close` and the spaces."""

    @property
    def control_period_s(self) -> float:
        """Time between two steps [s]."""

    @property
    def clock(self) -> Clock | None:
        """The clock that drives the control period; None = every step takes one period."""

    @property
    def lockstep(self) -> bool:
        """True if time stands still between steps: nothing real moves, and the actor may wait for the learner."""

    @property
    def field_specs(self) -> FieldSpecs:
        """Unit, frame and scale of the observations by name; a field without an entry has none of them."""

    @property
    def privileged(self) -> tuple[str, ...]:
        """Names of observed fields that no sensor of a real cell measures; an image-based policy does not read them."""

    @property
    def command_size(self) -> int:
        """Entries of `info["gated_command"]`; 0 = the step reports none."""

    @property
    def reward_terms(self) -> tuple[str, ...]:
        """Names of the parts in `info["reward_terms"]`."""

    @property
    def gripper_entries(self) -> tuple[int, ...]:
        """Indices of the gripper entries in an action (A,), one an arm."""

    @property
    def motion_entries(self) -> NDArray[np.bool_]:
        """Entries of an action (A,) that are motions, for which zero is rest. They are ramped at a hand-over."""

    @property
    def commanded_grippers(self) -> NDArray[np.float64]:
        """Gripper entries (n_arms,) that would command the present widths again; 0 where none does."""

    @property
    def stop_reason(self) -> str | None:
        """Reason of the latched stop; None while nothing is latched."""

    @property
    def stops(self) -> int:
        """Number of stops so far, for `resume`."""

    def stop(self, reason: StopReason) -> None:
        """Hold and latch a stop, from any thread. The first reason stays; the running episode ends with it."""

    def resume(self, since: int | None = None) -> bool:
        """Clear the latched stop after the operator's confirmation that it is safe.

        Args:
            since: Value of `stops` when the operator confirmed; a later stop stays latched. None = now.

        Returns:
            True when no stop is latched now.
        """

    def hold(self) -> None:
        """Keep the arm where it is."""

    def park(self) -> None:
        """Move the arm to its park pose, and hold there. Nothing latches."""

    def preflight(self) -> str:
        """Return the objection to moving after a break, as one line; "" = there is none. Nothing latches."""


def _motionless(env: gymnasium.Env[Any, Any]) -> NDArray[np.bool_]:
    # In a foreign environment, an action of zero may command any position.
    return np.zeros(int((env.action_space.shape or (0,))[0]), np.bool_)


# Members of an environment without a robot that does not define them. `control_period_s` and `stop` have no default.
_DEFAULTS: dict[str, Callable[[gymnasium.Env[Any, Any]], Any]] = {
    "clock": lambda env: None,
    "lockstep": lambda env: False,
    "field_specs": lambda env: {},
    "privileged": lambda env: (),
    "command_size": lambda env: 0,
    "reward_terms": lambda env: (),
    "gripper_entries": lambda env: (),
    "motion_entries": _motionless,
    "commanded_grippers": lambda env: np.zeros(0),
    "stop_reason": lambda env: None,
    "stops": lambda env: 0,
    "resume": lambda env: lambda since=None: True,
    "hold": lambda env: lambda: None,
    "park": lambda env: lambda: None,
    "preflight": lambda env: lambda: "",
}
MEMBERS = ("control_period_s", "stop", *_DEFAULTS)


class _Layers:
    """The contract of a wrapped or partly conforming environment."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        if name in MEMBERS and self._env.has_wrapper_attr(name):
            return self._env.get_wrapper_attr(name)
        if name in _DEFAULTS:
            return _DEFAULTS[name](self._env)
        raise AttributeError(f"{type(self._env.unwrapped).__name__}: expected {name}, found none")


def missing_members(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Return the members of the contract that no layer of `env` defines."""
    return tuple(name for name in MEMBERS if not env.has_wrapper_attr(name))


def teachable(env: gymnasium.Env[Any, Any]) -> Teachable:
    """Return the contract of `env`: each member of its outermost layer that has one.

    An environment without a robot may omit members. Their defaults are those of a simulation without grippers in which
    nothing latches. Only `control_period_s` and `stop` have no default: access to a missing one raises AttributeError.
    """
    return cast(Teachable, _Layers(env))
