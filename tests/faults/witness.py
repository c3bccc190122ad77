"""A list of what an environment has shown, kept by the environment, and the account of a run against it.

The account shares no code with the product.
"""

import os
import zlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import gymnasium
import numpy as np

from steadyhand.runtime.run_folder import RunFolder
from tests.integrity.plain_log import STEP, PlainRecord, read_log

WITNESS = "witness"
OBSERVATION = "observation/"


def observation_crc(observation) -> int:
    crc = 0
    for name in sorted(observation):
        crc = zlib.crc32(np.ascontiguousarray(observation[name]).tobytes(), crc)
    return crc


class Witness(gymnasium.Wrapper):
    """Notes every observation before the actor sees it. A line is `R <crc>` for a reset and `S <crc>` for a step."""

    def __init__(self, env: gymnasium.Env, file: Path) -> None:
        super().__init__(env)
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def __getattr__(self, name):  # the product's own code looks at the robot's environment directly
        return getattr(self.env, name)

    def reset(self, *, seed=None, options=None):
        observation, info = self.env.reset(seed=seed, options=options)
        self._note("R", observation)
        return observation, info

    def step(self, action):
        observation, *rest = self.env.step(action)
        self._note("S", observation)
        return observation, *rest

    def _note(self, kind, observation):
        os.write(self._file, f"{kind} {observation_crc(observation)}\n".encode())


@dataclass(frozen=True)
class Account:
    """What the learner has of what the robot did."""

    records: int
    lost_steps: int  # steps that the robot made and no record tells of


def delivered(run: RunFolder) -> bool:
    """Return whether the learner has all that the actor's log holds; the rest waits there for the next start."""
    _, stored, end = _logs(run)
    return len(stored) == end


def account(run: RunFolder) -> Account:
    """Check the learner's store against the actor's log and the robot's own list."""
    sent, stored, end = _logs(run)
    # Every sealed record once and in order: the numbers have no gap and end where the actor's own end.
    assert all(one.sound for one in (*sent, *stored))
    assert [one.seq for one in stored] == list(range(end))
    # Each with its own bytes, as far as the actor still has them ...
    assert [one.raw for one in sent] == [one.raw for one in stored[len(stored) - len(sent) :]]
    # ... and each with what the robot showed at that moment.
    return Account(len(stored), _lost_steps(stored, run.path / WITNESS))


def _logs(run: RunFolder) -> tuple[list[PlainRecord], list[PlainRecord], int]:
    """Return the records of the actor and of the learner, and the number after the actor's last one."""
    (actor,) = run.actor_folders()
    (outbox,) = actor.outbox.iterdir()
    (stored_in,) = run.log.iterdir()
    sent = read_log(outbox)
    newest = max(int(path.stem) for path in outbox.glob("*.segment"))  # it may be empty
    return sent, read_log(stored_in), max(newest, sent[-1].seq + 1 if sent else 0)


def _lost_steps(records: list[PlainRecord], witness: Path) -> int:
    shown = iter(_episodes(witness.read_text().split()))
    lost = 0
    for episode_id, group in groupby(records, lambda one: one.number("episode_id")):
        own = list(group)
        crcs = [_crc(one) for one in own]
        seen = next(shown)
        # An episode of which no record was made; begun anew after a kill it may look alike at its start.
        while len(seen) <= 2 and crcs != seen[: len(crcs)]:
            lost += len(seen) - 1
            seen = next(shown)
        assert crcs == seen[: len(crcs)], f"episode {episode_id}: other observations than the robot's"
        assert [one.number("step_index") for one in own] == list(range(len(own)))
        steps = sum(one.kind == STEP for one in own)
        assert len(seen) - 1 - steps in (0, 1), f"episode {episode_id}: {len(seen) - 1} steps, {steps} recorded"
        lost += len(seen) - 1 - steps
    return lost + sum(len(seen) - 1 for seen in shown)


def _crc(record: PlainRecord) -> int:
    crc = 0
    for name in sorted(name for name in record.columns if name.startswith(OBSERVATION)):
        crc = zlib.crc32(record.columns[name], crc)
    return crc


def _episodes(words: list[str]) -> list[list[int]]:
    episodes: list[list[int]] = []
    for kind, crc in zip(words[::2], words[1::2], strict=True):
        if kind == "R":
            episodes.append([])
        episodes[-1].append(int(crc))
    return episodes
