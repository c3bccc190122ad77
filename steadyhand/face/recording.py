"""The recording of demonstrations from a program."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.face.configuration import run_overrides
from steadyhand.face.environments import EnvSource
from steadyhand.job import new_job, seed_for
from steadyhand.pipeline.recording import record_in
from steadyhand.robot_envs.make import make_demonstrator

__all__ = ["expert_overrides", "record"]


def record(
    env: gymnasium.Env[Any, Any] | str | None = None,
    *overrides: str,
    run: str | Path | None = None,
    expert: type[Any] | None = None,
) -> Path:
    """Record successful demonstrations into a run folder; return the folder of the demo set.

    The demonstrator is the operator with `device=spacemouse` and so on, and the task's expert otherwise. An existing
    set is continued up to `demo.demos` episodes.

    Args:
        env: The first override, or an environment.
        overrides: More overrides, such as `demo.demos=5`.
        run: The run folder; None makes a new one below `run_root`.
        expert: A class with `reset(info)` and `act(observation, info)` for a gymnasium environment, in its own
            observations and actions.

    Raises:
        ConfigError: An override is wrong, or the task has no expert.
        DemoSetError: The attempts were used up, or the run has demonstrations of another task.
    """
    source = EnvSource.of(env, overrides)
    words = [*source.overrides, *expert_overrides(expert), *run_overrides(run)]
    with new_job(words) as job, source.opened(job.settings.composed) as opened:
        demonstrator = make_demonstrator(job.settings.composed, opened, seed_for(job.seed, "demonstrator"))
        with closing(demonstrator):
            record_in(job, opened, demonstrator, accepted=job.write_manifest)
    return job.run.demos


def expert_overrides(expert: type[Any] | None) -> list[str]:
    """Return the override that names the caller's expert; an empty list for the task's own expert."""
    return [] if expert is None else [f"task.expert={expert.__module__}:{expert.__qualname__}"]
