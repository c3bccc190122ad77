"""Whether demonstrations are of the task that is to be learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steadyhand.job import Job
from transport.demo_set import DemoSetError, read_manifest

__all__ = ["check_task"]


def check_task(job: Job, demos: Path) -> None:
    """Refuse a demo set of another task, whose records may well look alike.

    Raises:
        DemoSetError: It is one, or no demo set at all.
    """
    wanted, found = (_task_identity(task) for task in (job.config["task"], read_manifest(demos).task))
    if wanted != found:
        raise DemoSetError(
            f"{demos}: expected demonstrations of {wanted}, found those of {found}; choose their task or other ones"
        )


def _task_identity(task: dict[str, Any]) -> str:
    environment_id = (task.get("arguments") or {}).get("id")  # in gymnasium's own registry
    return f"{task.get('entry_point')}" + (f" {environment_id}" if environment_id else "")
