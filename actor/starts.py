"""The starts of an evaluation: a seed, perhaps a start pose, per episode; drawn from a seed, or listed in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from steadyhand.actor.control_loop import episode_seed
from steadyhand.robot_envs.start_pose import START_POSE
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.ranges import expect, expect_within
from steadyhand.transport.record import Phase

__all__ = ["Start", "StartsError", "digest_of", "read_starts", "seeded_starts"]

KEY = "starts"
MAX_SEED = 2**32 - 1
MAX_BYTES = 4_000_000  # of a file of starts; a longer one is another file
POSE = 7  # x, y, z [m], quaternion xyzw
UNIT_TOLERANCE = 0.01  # largest deviation of a quaternion's length from 1


class StartsError(ValueError):
    """A file that lists no usable starts."""


@dataclass(frozen=True)
class Start:
    """Start of one episode.

    Attributes:
        seed: Seed of the environment's reset: it fixes the workpieces, and the tool's pose unless `start_pose` does.
        start_pose: Pose of each tool at the start, base frame. Shape (n_arms, 7); [m], xyzw. None = the task draws it.
        note: Text for the operator, such as the place of the workpiece.
    """

    seed: int
    start_pose: tuple[tuple[float, ...], ...] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        expect_within(self, 0, MAX_SEED, "seed")
        for pose in self.start_pose or ():
            expect(len(pose) == POSE, "start_pose", "7 numbers an arm: x, y, z [m] and a quaternion xyzw", list(pose))
            norm = float(np.linalg.norm(pose[3:]))
            expect(abs(norm - 1.0) <= UNIT_TOLERANCE, "start_pose", "a quaternion of length 1", round(norm, 4))

    @property
    def options(self) -> dict[str, Any] | None:
        """Return the options of the environment's reset; None without any."""
        return None if self.start_pose is None else {START_POSE: np.array(self.start_pose, np.float64)}


def seeded_starts(seed: int, episodes: int) -> tuple[Start, ...]:
    """Return the starts of `episodes` episodes; equal seeds give equal starts."""
    return tuple(Start(episode_seed(seed, Phase.EVAL, index)) for index in range(episodes))


def read_starts(path: Path) -> tuple[Start, ...]:
    """Read a file of starts: YAML with the key `starts`, a list of `seed`, `start_pose` and `note`.

    Raises:
        StartsError: The file cannot be read, or an entry is wrong; the line names the entry.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise StartsError(f"{path}: expected a list of starts, found {len(raw)} bytes; choose the right file")
        values = yaml.safe_load(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        found = quoted(" ".join(str(error).split()), 160)
        raise StartsError(f"{path}: expected a YAML file of starts, found {found}; see docs/evaluation.md") from None
    entries = values.get(KEY) if isinstance(values, dict) else None
    if not isinstance(entries, list) or not entries or set(values) != {KEY}:
        raise StartsError(
            f"{path}: expected the one key {KEY}, a list of at least one entry such as {{seed: 3}}, found "
            f"{quoted(str(values), 80)}; see docs/evaluation.md"
        )
    try:
        return tuple(build(Start, entry, f"{KEY}[{index}]") for index, entry in enumerate(entries))
    except ConfigError as error:
        raise StartsError(f"{path}: {error}") from None


def digest_of(starts: Sequence[Start]) -> str:
    """Return the SHA-256 of a list of starts in its canonical form; notes count too."""
    text = json.dumps([asdict(start) for start in starts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
