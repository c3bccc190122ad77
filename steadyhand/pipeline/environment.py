"""The environment of a run, opened for one step of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from steadyhand.robot_envs.make import TaughtEnv, make_env
from steadyhand.settings import Settings

__all__ = ["opened_env"]


@contextmanager
def opened_env(settings: Settings, seed: int) -> Iterator[TaughtEnv]:
    """Make the environment, and close it in every case."""
    env = make_env(settings.composed, seed)
    try:
        yield env
    finally:
        env.close()
