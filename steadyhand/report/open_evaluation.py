"""An evaluation that is not finished: its episodes in a file of the run, so that it can be continued."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.evaluated_episode import EvaluatedEpisode
from steadyhand.runtime.append import append_whole
from steadyhand.runtime.run_folder import RunFolder, RunFolderError

__all__ = ["OpenEvaluation"]

FOLDER = "open_evaluations"
KEY_LENGTH = 16


class OpenEvaluation:
    """`metrics/open_evaluations/<key>.jsonl`: a header line, and one line per finished episode.

    The key is a digest of everything that makes two evaluations the same: policy, task, starts, and protocol. An
    evaluation with an equal key continues; another one has a file of its own. An episode is on the disk before the next
    one begins, and a line that a crash has cut short is left out: its episode is run again.

    Args:
        run: The run of the policy.
        identity: What makes two evaluations the same, as JSON.
        secrets: Facts that an interrupted evaluation must keep, such as a hidden order; those of the file win.

    Raises:
        RunFolderError: The file of an interrupted evaluation is damaged.
    """

    def __init__(self, run: RunFolder, identity: Mapping[str, Any], secrets: Mapping[str, Any] | None = None) -> None:
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str)
        self.path = run.metrics / FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]}.jsonl"
        self.done: dict[int, EvaluatedEpisode] = {}
        self._given = dict(secrets or {})
        self.secrets = dict(self._given)
        rows = read_rows(self.path)
        try:
            for header in rows[:1]:
                self.secrets = dict(header["secrets"])
            for row in rows[1:]:
                self.done[int(row["index"])] = EvaluatedEpisode.from_json(row)
        except (KeyError, TypeError, ValueError) as error:
            raise RunFolderError(
                f"{self.path}: expected the episodes of an interrupted evaluation, found {type(error).__name__} "
                f"({error}); remove the file to begin anew"
            ) from None

    def add(self, index: int, episode: EvaluatedEpisode) -> None:
        """Write a finished episode."""
        if not self.path.exists():
            self.path.parent.mkdir(exist_ok=True)
            self._append({"secrets": self.secrets})
        self.done[index] = episode
        self._append({"index": index, **episode.to_json()})

    def restart(self) -> None:
        """Forget the episodes of an interrupted evaluation."""
        self.close()
        self.done, self.secrets = {}, dict(self._given)

    def close(self) -> None:
        """Remove the file: the evaluation is finished, and its result is kept elsewhere."""
        self.path.unlink(missing_ok=True)

    def _append(self, row: Mapping[str, Any]) -> None:
        """Append a line; one that a crash has cut short before it is ended first."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            lead = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
            append_whole(descriptor, lead + json.dumps(row).encode() + b"\n", sync=True)
        finally:
            os.close(descriptor)
