"""The environment of a run, opened for one step of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.make import TaughtEnv, make_env, make_hardware
from steadyhand.settings import Settings

__all__ = ["driven_env", "has_references", "make_driven_env", "opened_env"]


@contextmanager
def opened_env(settings: Settings, seed: int) -> Iterator[TaughtEnv]:
    """Make the environment, and close it in every case."""
    env = make_env(settings.composed, seed)
    try:
        yield env
    finally:
        env.close()


@contextmanager
def driven_env(settings: Settings, seed: int) -> Iterator[TaughtEnv]:
    """Make the environment of a run that drives the arm, and close it in every case. See `make_driven_env`."""
    env = make_driven_env(settings.composed, seed)
    try:
        yield env
    finally:
        env.close()


def make_driven_env(config: Mapping[str, Any], seed: int) -> TaughtEnv:
    """Make the environment of a run that drives the arm, after a check that no camera was moved.

    The check compares each camera with its reference in `calibration.files`, here and after each break of the operator.
    A camera on the arm is compared where the arm is at the pose of its reference, also at the start of an episode.

    Args:
        config: As `compose` returns it.
        seed: Seed of the action space.

    Raises:
        CalibrationError: A camera was moved; nothing has moved the arm.
        ConfigError, RobotError: As for `make_env`.
    """
    if config["task"].get("kind") == "gym" or not has_references(config):
        return make_env(config, seed)
    from steadyhand.pipeline.camera_check import CameraCheck, whole_pictures_in

    hardware: Hardware = make_hardware(config, config["task"]["scene"])
    env = make_env(config, seed, hardware)
    assert isinstance(env, RobotEnv)
    check = CameraCheck(config, whole_pictures_in(config, hardware.world))
    try:
        check.guard(env)
    except BaseException:
        env.close()
        raise
    return env


def has_references(config: Mapping[str, Any]) -> bool:
    """Return whether a camera is to be compared; otherwise nothing that needs OpenCV is imported."""
    calibration = config.get("calibration") or {}
    check = calibration.get("check")  # the configuration that an older run recorded has none
    wanted = check is not None and check["moved"] != "skip"
    return wanted and any(used["kind"] == "reference" for used in calibration["used"])
