"""A new demo set from records of others: renumbered, with the labels that belong to these records."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.demo_set import DemoManifest, DemoSetError, count_episodes, read_manifest, write_manifest
from steadyhand.transport.label_log import Label, LabelReader, append_label
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Kind
from steadyhand.transport.run_identity import read_identity, write_identity

__all__ = ["Cut", "Part", "episode_numbers", "rewrite"]

SEGMENT_BYTES = 1 << 26
BATCH = 64  # records that are read at once


@dataclass(frozen=True)
class Cut:
    """The part of an episode that stays: steps [first, end)."""

    first: int
    end: int


@dataclass(frozen=True)
class Part:
    """Episodes of one demo set, in the order of its log. `cuts` shortens some of them."""

    folder: Path
    episodes: tuple[int, ...]
    cuts: dict[int, Cut]


def episode_numbers(folder: Path) -> list[int]:
    """Return the numbers of the episodes in a log, in its order."""
    with closing(LogReader(folder)) as reader:
        return [one.episode_id for one in labelled_columns(reader).episodes()]


def rewrite(parts: Sequence[Part], folder: Path) -> DemoManifest:
    """Write the parts, one after the other, as a new demo set; the sources stay as they are.

    Args:
        parts: Demo sets of one schema, at least one.
        folder: Folder of the new set.

    Returns:
        Its manifest.

    Raises:
        DemoSetError: No episode is left.
        LogError, LabelError: A source is damaged.
    """
    manifests = [read_manifest(part.folder) for part in parts]
    session_id, first = secrets.token_hex(16), manifests[0]
    writer = LogWriter(folder, first.schema, first.actor_id, session_id, SEGMENT_BYTES)
    labels: list[Label] = []
    episodes = 0
    try:
        for part in parts:
            with closing(LogReader(part.folder)) as reader:
                moved = _copy(reader, part, writer, episodes)
                labels += _moved_labels(reader, moved, session_id)
            episodes += len(part.episodes)
    finally:
        writer.close()
    if not episodes:
        raise DemoSetError(f"{parts[0].folder}: expected at least one episode to keep, found none")
    for label in labels:
        append_label(folder, label)
    write_identity(folder, read_identity(parts[0].folder))
    with closing(LogReader(folder)) as reader:
        _, _, steps = count_episodes(reader)
        successes = sum(bool(labelled.any()) for labelled in _successes(reader))
    experts = ", ".join(dict.fromkeys(manifest.expert for manifest in manifests))
    manifest = replace(
        first, episodes=episodes, successes=successes, steps=steps, session_id=session_id, expert=experts
    )
    write_manifest(folder, manifest)
    return manifest


def _successes(reader: LogReader) -> list[NDArray[np.bool_]]:
    columns = labelled_columns(reader)
    return [columns.success[one.seen] for one in columns.episodes()]


def _copy(reader: LogReader, part: Part, writer: LogWriter, first_id: int) -> dict[int, int]:
    """Append the chosen episodes; return the new number of each copied record by its old one."""
    found = {one.episode_id: one for one in labelled_columns(reader).episodes()}
    moved: dict[int, int] = {}
    for place, number in enumerate(part.episodes):
        one = found[number]
        cut = part.cuts.get(number, Cut(0, len(one.steps)))
        # The record after the last step is the observation that ends the episode; a crash may have cut it off.
        rows = one.seen[cut.first : cut.end + 1]
        ends_early = cut.end < len(one.steps)
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            batch = reader.read(int(chosen[0]), int(chosen[-1]) + 1).copy()
            for record, row in zip(batch, chosen.tolist(), strict=True):
                index = row - int(rows[0])
                record["episode_id"], record["step_index"] = first_id + place, index
                if ends_early and index == cut.end - cut.first - 1:
                    record["truncated"] = True
                if ends_early and index == cut.end - cut.first:
                    _end(record)
                moved[reader.seq_at(row)] = writer.append(record)
    return moved


def _end(record: np.void) -> None:
    """Turn a step into the observation that ends an episode."""
    record["kind"] = Kind.FINAL
    for name in ("has_human", "terminated", "truncated", "success"):
        record[name] = False
    for name in ("reward", "reward_terms", "action", "policy_action", "human_action", "gated_command"):
        record[name] = 0.0


def _moved_labels(reader: LogReader, moved: dict[int, int], session_id: str) -> list[Label]:
    """Return the labels of the copied records under their new numbers, the oldest first."""
    old = np.array(sorted(moved), np.int64)
    found = []
    for label in LabelReader(reader.folder, reader.session_id).refresh():
        inside = old[(old >= label.first_seq) & (old < label.end_seq)]
        new = np.array([moved[seq] for seq in inside.tolist()], np.int64)
        # One label for each stretch that is whole in both numberings.
        breaks = np.flatnonzero((np.diff(inside) != 1) | (np.diff(new) != 1)) + 1
        for before, after in zip(np.split(inside, breaks), np.split(new, breaks), strict=True):
            if len(after):
                found.append(_moved(label, before, after, session_id))
    return found


def _moved(label: Label, before: NDArray[np.int64], after: NDArray[np.int64], session_id: str) -> Label:
    places = (before - label.first_seq).tolist()
    return replace(
        label,
        session_id=session_id,
        first_seq=int(after[0]),
        end_seq=int(after[-1]) + 1,
        rewards=None if label.rewards is None else tuple(label.rewards[place] for place in places),
        terminated=None if label.terminated is None else tuple(label.terminated[place] for place in places),
        version=0,
    )
