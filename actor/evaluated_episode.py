"""One episode of an evaluation: the machine's verdict, the operator's label beside it, and the verdict that counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.starts import Start
from steadyhand.transport.record import Phase

__all__ = ["EvaluatedEpisode"]

SUMMARY = tuple(field.name for field in fields(EpisodeSummary))


@dataclass(frozen=True)
class EvaluatedEpisode:
    """A finished episode of an evaluation.

    Attributes:
        summary: The episode as the control loop reports it.
        label: The operator's label, given after the episode; None without one.
        start: Start of the episode; None = not noted.
        discarded: Attempts at this episode that the operator discarded before it.
    """

    summary: EpisodeSummary
    label: bool | None = None
    start: Start | None = None
    discarded: int = 0

    @property
    def machine_success(self) -> bool | None:
        """The verdict of the task, else of a reward component; None where neither has one."""
        one = self.summary
        if one.task_success is not None or one.judged_by == "operator":
            return one.task_success
        return one.success

    @property
    def operator_success(self) -> bool | None:
        """The operator's label, or the verdict that ended the episode; None without either."""
        if self.label is not None:
            return self.label
        return self.summary.success if self.summary.judged_by == "operator" else None

    def counted(self) -> EpisodeSummary:
        """Return the summary with the verdict that counts.

        The operator's verdict outranks the task's, and the task's that of a reward. An episode in which the operator
        acted, or that a stop ended, is a failure.
        """
        one = self.summary
        if self.label is not None:
            one = replace(one, success=self.label, judged_by="operator")
        elif one.judged_by == "reward" and one.task_success is not None:
            one = replace(one, success=one.task_success, judged_by="task")
        return replace(one, success=one.success and not one.helped and not one.stop_reason)

    def row(self) -> dict[str, Any]:
        """Return the episode for JSON; `success` is the verdict that counts."""
        start = {} if self.start is None else {"start": asdict(self.start)}
        said = {"reward_success": self.summary.success} if self.summary.judged_by == "reward" else {}
        return {
            **asdict(self.counted()),
            **said,
            "machine_success": self.machine_success,
            "operator_success": self.operator_success,
            "intervened": self.summary.helped,
            "discarded_attempts": self.discarded,
            **start,
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything, to be read again by `from_json`."""
        return {
            "summary": asdict(self.summary),
            "label": self.label,
            "start": None if self.start is None else asdict(self.start),
            "discarded": self.discarded,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EvaluatedEpisode:
        """Read an episode that `to_json` returned.

        Raises:
            KeyError, TypeError, ValueError: The values are of another form.
        """
        summary = {name: values["summary"][name] for name in SUMMARY}
        start = values["start"]
        if start is not None:
            pose = start["start_pose"]
            start = Start(start["seed"], None if pose is None else tuple(map(tuple, pose)), start["note"])
        summary["phase"] = Phase(summary["phase"])
        return cls(EpisodeSummary(**summary), values["label"], start, int(values["discarded"]))
