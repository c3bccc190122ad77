"""Practice and weights of other runs, found by a path and checked against the run that is to start from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from steadyhand.demos import SCALES, check_recorded_task, recorded_gain, reward_objection, tell_gain
from steadyhand.job import Job
from steadyhand.learner.checkpoint import Checkpoint, CheckpointError, CheckpointFolder, read_checkpoint
from steadyhand.learner.prior import PriorDataError
from steadyhand.pipeline.recording import episode_settings
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import RunFolder, RunFolderError
from steadyhand.transport import segment
from steadyhand.transport.log import LogReader
from steadyhand.transport.schema import Schema

__all__ = ["check_actions", "find_checkpoint", "find_logs", "prior_gains"]

logger = get_logger("prior")


def find_logs(folders: Sequence[Path]) -> list[Path]:
    """Return the logs of practice at these places, one folder a session.

    Args:
        folders: A log, a folder of logs, or a run folder, whose learner's logs are meant.

    Raises:
        PriorDataError: There is none at one of them.
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


def find_checkpoint(place: Path | None) -> Checkpoint | None:
    """Return the checkpoint at a place: a checkpoint's folder, or a run folder, whose newest one is meant.

    Raises:
        PriorDataError: There is none.
        CheckpointError: It is not as it was written.
    """
    if place is None:
        return None
    if (place / "checkpoints").is_dir():
        checkpoint = CheckpointFolder(place / "checkpoints", keep=1).newest()
        if checkpoint is not None:
            return checkpoint
    elif place.is_dir():
        try:
            return read_checkpoint(place)
        except CheckpointError as error:
            raise PriorDataError(f"--from {error}") from None
    raise PriorDataError(f"--from {place}: expected a run folder with a checkpoint, or a checkpoint, found none")


def prior_gains(job: Job, logs: Sequence[Path]) -> dict[str, tuple[float, ...]]:
    """Check logs of other runs against this one's task; return by session what their actions are multiplied by.

    Where the run folder around a log is gone, its task is not known, and the records count as they are.

    Raises:
        DemoSetError: A log is of another task, or its records meant something else.
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


def check_actions(job: Job, checkpoint: Checkpoint | None) -> None:
    """Refuse a checkpoint whose policy's actions move the robot further, or less far, than those of this run.

    Raises:
        PriorDataError: Its run had other action scales.
    """
    task = None if checkpoint is None else _task_of(checkpoint.folder)
    if checkpoint is None or task is None:
        return
    if recorded_gain(job, checkpoint.folder, task, Schema.from_json(checkpoint.facts["schema"])):
        own = ", ".join(f"task.drive.{name}={task['drive'][name]}" for name in SCALES)
        raise PriorDataError(
            f"--from {checkpoint.folder}: expected the action scales of its run ({own}), found others; give those, or "
            "start without it"
        )


def _logs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    if segment.paths(folder):
        return [folder]
    inside = folder / "log" if (folder / "log").is_dir() else folder
    return [path for path in sorted(inside.iterdir()) if path.is_dir() and segment.paths(path)]


def _task_of(log: Path) -> dict[str, Any] | None:
    """Return the resolved task of the run that a log belongs to; None when no run folder is around it."""
    run = log.resolve().parent.parent
    try:
        manifest = RunFolder(run.parent, run.name, create=False).read_manifest()
    except RunFolderError:
        return None
    task = (manifest or {}).get("config", {}).get("task")
    return task if isinstance(task, dict) else None
