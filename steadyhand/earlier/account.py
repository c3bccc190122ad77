"""The account of what fits between an earlier run and the new one, made before anything is taken."""

from __future__ import annotations

from collections.abc import Sequence

from steadyhand.earlier.cell_lines import calibration_line, cameras_line, tool_line
from steadyhand.earlier.classifier_lines import classifier_line
from steadyhand.earlier.line import REFUSED, Line
from steadyhand.earlier.record_lines import action_line, policy_line, robot_line, schema_line, task_line
from steadyhand.earlier.reward_lines import reward_line
from steadyhand.earlier.run import EarlierRun
from steadyhand.earlier.settings import CLASSIFIER, WEIGHTS
from steadyhand.job import Job
from steadyhand.terminal import plain
from steadyhand.transport.demo_set import is_demo_set, read_manifest
from steadyhand.transport.run_identity import UNKNOWN as UNKNOWN_IDENTITY
from steadyhand.transport.run_identity import read_identity
from steadyhand.transport.schema import Schema

__all__ = ["REFUSED", "Line", "account", "account_text"]


def account(job: Job, earlier: EarlierRun, schema: Schema | None = None) -> list[Line]:
    """Compare an earlier run with the new one, one line a subject.

    Args:
        job: The new run.
        earlier: The earlier run, with the parts to take.
        schema: Schema of the new run's records; None = that of its demonstrations. Without any the schema, and
            without demonstrations the robot, are not known yet: the learner checks both when an actor connects.
    """
    own_demos = is_demo_set(job.run.demos)
    if schema is None and own_demos:
        schema = read_manifest(job.run.demos).schema
    robot = read_identity(job.run.demos) if own_demos else UNKNOWN_IDENTITY
    lines = [
        schema_line(job, earlier, schema),
        action_line(job, earlier),
        robot_line(job, earlier, robot),
        task_line(job, earlier),
        cameras_line(job, earlier, schema),
        calibration_line(job, earlier),
        tool_line(job, earlier),
        reward_line(job, earlier),
    ]
    if WEIGHTS in earlier.parts and earlier.checkpoint is not None:
        lines.append(policy_line(job, earlier.checkpoint, schema))
    if CLASSIFIER in earlier.parts:
        lines.append(classifier_line(job, schema))
    return lines


def account_text(lines: Sequence[Line]) -> str:
    """Return the account, one line a subject: subject, verdict, what differs, and what to do."""
    subject, verdict = (max(len(getattr(line, name)) for line in lines) for name in ("subject", "verdict"))
    return "\n".join(
        f"  {line.subject.ljust(subject)}  {line.verdict.ljust(verdict)}  {plain(line.text)}" for line in lines
    )
