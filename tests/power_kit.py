"""A power cut on a `Disk`: the folder that is left when only what fsync covered is sure to be kept.

Names are covered by an fsync of their folder, data and size by one of their file. Each other change is kept or not, by
a policy; data that was not covered may be kept in part. Data behind a failed fsync count as written back never.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.disk_kit import Disk, Op

POLICIES = ("nothing", "everything", "some")
SYNCS = ("sync", "failed sync")
NAMING = ("link", "unlink", "rename")  # changes of a folder


def survivors(disk: Disk, until: int, policy: str, seed: int = 0) -> list[Op]:
    """Return the changes before number `until` that survive a cut.

    Args:
        disk: The disk with its history.
        until: Number of changes before the cut.
        policy: `nothing`, `everything` or `some` of what no fsync covers is kept.
        seed: Seed of the choice.
    """
    draw = random.Random(f"{seed} {until}")
    next_sync: dict[int, str] = {}  # node -> kind of the first sync after the change that is looked at
    sure = [False] * until
    for index in reversed(range(until)):
        op = disk.ops[index]
        if op.kind in SYNCS:
            next_sync[op.node] = op.kind
        else:
            owners = (op.folder, op.old_folder) if op.kind in NAMING else (op.node,)
            sure[index] = any(next_sync.get(owner) == "sync" for owner in owners)
    kept: list[Op] = []
    for index, op in enumerate(disk.ops[:until]):
        if op.kind in SYNCS:
            continue
        if sure[index] or policy == "everything":
            kept.append(op)
        elif policy == "some" and draw.random() < 0.5:
            kept.append(_part(op, draw) if op.kind == "data" and draw.random() < 0.3 else op)
    return kept


def _part(op: Op, draw: random.Random) -> Op:
    size = draw.randrange(len(op.data) + 1)
    return Op("data", op.node, at=op.at, data=op.data[:size])


def leave(disk: Disk, until: int, target: Path, policy: str = "nothing", seed: int = 0) -> Path:
    """Write what survives a cut before change `until` into a new folder `target`; return it."""
    entries: dict[int, dict[str, int]] = {}
    content: dict[int, bytearray] = {}
    for op in survivors(disk, until, policy, seed):
        if op.kind in ("link", "rename"):
            if op.kind == "rename" and entries.get(op.old_folder, {}).get(op.old_name) == op.node:
                del entries[op.old_folder][op.old_name]
            entries.setdefault(op.folder, {})[op.name] = op.node
        elif op.kind == "unlink":
            entries.get(op.folder, {}).pop(op.name, None)
        elif op.kind == "size":
            data = content.setdefault(op.node, bytearray())
            del data[op.at :]
            data.extend(bytes(op.at - len(data)))
        else:
            data = content.setdefault(op.node, bytearray())
            data.extend(bytes(max(0, op.at + len(op.data) - len(data))))
            data[op.at : op.at + len(op.data)] = op.data
    _write(disk, 0, target, entries, content)
    return target


def _write(
    disk: Disk, node: int, path: Path, entries: dict[int, dict[str, int]], content: dict[int, bytearray]
) -> None:
    if not disk.names[node]:
        path.write_bytes(content.get(node, b""))
        return
    path.mkdir(exist_ok=True)
    for name, child in entries.get(node, {}).items():
        _write(disk, child, path / name, entries, content)
