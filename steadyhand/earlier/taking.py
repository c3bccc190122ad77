"""The parts of an earlier run that a new run takes, after the account of what fits."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from steadyhand.demo_compat import recorded_gain, tell_gain
from steadyhand.earlier.account import REFUSED, Line, account, account_text
from steadyhand.earlier.run import EarlierRun, open_earlier
from steadyhand.job import Job
from steadyhand.learner.checkpoint import Checkpoint
from steadyhand.learner.prior import EarlierData, PriorDataError
from steadyhand.terminal import plain, say
from steadyhand.transport.log import LogReader
from steadyhand.transport.schema import Schema

__all__ = ["Taken", "take_earlier"]


@dataclass(frozen=True)
class Taken:
    """Parts of an earlier run that fit.

    Attributes:
        checkpoint: The checkpoint that gives the weights; None = none.
        data: Its records.
        action_gains: Factors (A,) by session id, which convert actions of its records to the present action scales.
        facts: The run, its parts and the account, for JSON; {} without an earlier run.
    """

    checkpoint: Checkpoint | None = None
    data: EarlierData = field(default=EarlierData())
    action_gains: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gives_policy(self) -> bool:
        """Return whether a first policy comes from it: as weights, or by pretraining on its records."""
        return self.checkpoint is not None or bool(self.data.demos or self.data.logs)


def take_earlier(job: Job, schema: Schema | None = None, shown: bool = True) -> Taken:
    """Print the account of the earlier run that the settings name, and return its parts; nothing is written.

    Args:
        job: The new run.
        schema: Schema of the new run's records; None = that of its demonstrations, if there are any.
        shown: False prints no account; a part that does not fit is refused all the same.

    Raises:
        PriorDataError: There is no such run, it lacks a part, or a part does not fit.
    """
    config = job.settings.earlier
    if config.run is None:
        return Taken()
    has_weights = any(job.run.checkpoints.glob("step-*"))
    earlier = open_earlier(config, job.settings.run_root, has_weights)
    if earlier.folder == job.run.path:
        raise PriorDataError(
            f"earlier.run={config.run}: expected another run than the one that starts, found the same one; a run "
            "goes on by itself without earlier.run"
        )
    lines = account(job, earlier, schema)
    if shown:
        say(plain(f"from {earlier.folder}: {', '.join(earlier.parts)}"))
        say(account_text(lines))
    if refused := [line for line in lines if line.verdict == REFUSED]:
        more = f" (and {len(refused) - 1} more, above)" if len(refused) > 1 else ""
        raise PriorDataError(f"earlier.run={earlier.folder}: {refused[0].subject}: {refused[0].text}{more}")
    data = EarlierData(earlier.demos, earlier.logs, config.demo_share)
    return Taken(earlier.checkpoint, data, _gains(job, earlier), _facts(earlier, lines))


def _gains(job: Job, earlier: EarlierRun) -> dict[str, tuple[float, ...]]:
    gains = {}
    for folder in (*earlier.demos, *earlier.logs):
        with closing(LogReader(folder)) as reader:
            session_id, gain = reader.session_id, recorded_gain(job, folder, earlier.config["task"], reader.schema)
        if gain:
            gains[session_id] = gain
            tell_gain(folder, gain)
    return gains


def _facts(earlier: EarlierRun, lines: list[Line]) -> dict[str, Any]:
    checkpoint = earlier.checkpoint
    return {
        "run": earlier.name,
        "folder": str(earlier.folder),
        "run_id": str(earlier.manifest.get("run_id", "")),
        "take": list(earlier.parts),
        "step": None if checkpoint is None else checkpoint.step,
        "account": [vars(line) for line in lines],
    }
