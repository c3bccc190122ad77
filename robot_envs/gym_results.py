"""Return values of a foreign environment's reset and step, checked and converted to plain types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from steadyhand.robot_envs.foreign_code import ForeignCodeError, as_array

__all__ = ["SUCCESS_KEYS", "StepResult", "as_flag", "as_number", "as_reset", "as_step", "reported_success"]

# Meta-World, ManiSkill and gymnasium's own robots say success or is_success, gym-hil and HIL-SERL say succeed.
SUCCESS_KEYS = ("success", "is_success", "succeed")
OLD = "an environment of the older gym package has to be wrapped, for example with shimmy"


class StepResult(NamedTuple):
    """Result of a step, as the environment reports it."""

    observation: Any
    reward: float  # NaN if the environment returns NaN
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


def as_reset(returned: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return the observation and the info from the return value of `reset`.

    Raises:
        ForeignCodeError: The return value has another form.
    """
    if not (isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], Mapping)):
        raise ForeignCodeError(
            f"reset of the environment: expected (observation, info), found {_shape_of(returned)}; {OLD}"
        )
    return returned


def as_step(returned: Any) -> StepResult:
    """Return the five parts of the return value of `step`.

    Raises:
        ForeignCodeError: The return value has another form, or is that of several environments at once.
    """
    if not (isinstance(returned, tuple) and len(returned) == 5 and isinstance(returned[4], Mapping)):
        raise ForeignCodeError(
            "step of the environment: expected (observation, reward, terminated, truncated, info), found "
            f"{_shape_of(returned)}; {OLD}"
        )
    observation, reward, terminated, truncated, info = returned
    return StepResult(
        observation,
        as_number(reward, "reward"),
        as_flag(terminated, "terminated"),
        as_flag(truncated, "truncated"),
        info,
    )


def as_number(value: Any, name: str) -> float:
    """Return one number from a number, or from an array of one element.

    Raises:
        ForeignCodeError: The value is not a number, or has several numbers.
    """
    array = as_array(value, f"{name} of the environment")
    if array.dtype.kind not in "biuf" or array.size != 1:
        raise ForeignCodeError(
            f"{name} of the environment: expected one number, found {_shape_of(value)}; "
            "several environments in one are not supported; make a single one"
        )
    return float(array.reshape(-1)[0])


def as_flag(value: Any, name: str) -> bool:
    """Return one truth value from a value, or from an array of one element; NaN counts as False.

    Raises:
        ForeignCodeError: The value is not a truth value, or has several values.
    """
    number = as_number(value, name)
    return bool(number) and number == number


def reported_success(info: Mapping[str, Any]) -> bool | None:
    """Return whether `info` reports success; None if it has no such key. Of several values, all have to be true.

    Raises:
        ForeignCodeError: The value is neither a truth value nor a number.
    """
    found = [key for key in SUCCESS_KEYS if info.get(key) is not None]
    for key in found:
        values = as_array(info[key], f"info[{key!r}] of the environment")
        if values.dtype.kind not in "biuf":
            raise ForeignCodeError(
                f"info[{key!r}] of the environment: expected a truth value or numbers, found {_shape_of(info[key])}"
            )
        if values.size and bool(((values != 0) & (values == values)).all()):
            return True
    return False if found else None


def _shape_of(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} values"
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__}{'' if shape is None else f' of shape {tuple(shape)}'}"
