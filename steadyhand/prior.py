"""Practice logs of other runs: found by path, and checked against the run that starts from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from steadyhand.demo_compat import check_recorded_task, recorded_gain, reward_objection, tell_gain
from steadyhand.job import Job
from steadyhand.learner.prior import PriorDataError
from steadyhand.pipeline.recording import episode_settings
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import RunFolder, RunFolderError
from steadyhand.transport import log_folder
from steadyhand.transport.log import LogReader

__all__ = ["find_logs", "prior_gains"]

logger = get_logger("prior")


def find_logs(folders: Sequence[Path]) -> list[Path]:
    """Return the practice logs at these paths, one folder per session.

    Args:
        folders: Each a log, a folder of logs, or a run folder, which stands for its learner's logs.

    Raises:
        PriorDataError: A path holds no log.
    """
    logs = []
    for folder in folders:
        found = _logs(folder)
        if not found:
            raise PriorDataError(
                f"--logs {folder}: expected a run folder, its log/ or one log below that, found no records there"
            )
        logs += found
    return logs


def prior_gains(job: Job, logs: Sequence[Path]) -> dict[str, tuple[float, ...]]:
    """Check logs of other runs against this run's task; return the gain of their actions by session.

    Without the run folder around a log its task is unknown. Its records are then used unchanged.

    Raises:
        DemoSetError: A log is of another task, or its records had another meaning.
        PriorDataError: The algorithm would flatten the targets of its rewards.
    """
    gains = {}
    for log in logs:
        task = _task_of(log)
        if task is None:
            logger.warning("%s: no run folder tells its task; actions and rewards are taken as they are", log)
        else:
            check_recorded_task(job, log, task, episode_settings(job.settings.composed["task"]), "practice")
            with closing(LogReader(log)) as reader:
                session_id, gain = reader.session_id, recorded_gain(job, log, task, reader.schema)
            if gain:
                gains[session_id] = gain
                tell_gain(log, gain)
        if line := reward_objection(job, log):
            raise PriorDataError(f"{log}: {line}")
    return gains


def _logs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    if log_folder.paths(folder):
        return [folder]
    inside = folder / "log" if (folder / "log").is_dir() else folder
    return [path for path in sorted(inside.iterdir()) if path.is_dir() and log_folder.paths(path)]


def _task_of(log: Path) -> dict[str, Any] | None:
    """Return the resolved task of a log's run; None if the log is in no run folder."""
    run = log.resolve().parent.parent
    try:
        manifest = RunFolder(run.parent, run.name, create=False).read_manifest()
    except RunFolderError:
        return None
    task = (manifest or {}).get("config", {}).get("task")
    return task if isinstance(task, dict) else None
