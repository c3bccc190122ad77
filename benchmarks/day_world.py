"""A day of bad luck in the simulation of F37: many steps, the faults of such a day, and peers that send junk.

One thread, a fake clock and two simulated disks; everything follows from the seed.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from steadyhand.transport import log_account, wire
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.wire import Heartbeat, Lost, Records, WireError
from tests.faults.hostile_messages import FROM_ACTOR, JUNK, mutated
from tests.faults.simulated_world import REFUSED, ViolationError, World, step
from tests.integrity.plain_log import LOST, PlainRecord

__all__ = ["FAULTS", "WORK", "Day", "Tally", "live"]

BURST = 8  # calls of `act` at a time, each of up to six steps
JUNK_MESSAGES = 8
LOOK_EVERY = 100  # things that happen between two accounts
PATIENCE = 50  # things that may happen for each step that is wanted
MEMORY = Path("/dev/shm")  # noqa: S108  the disks are simulated, so no real one has to be waited for
# How often each happens, relative to the others. A fault comes about once in thirty steps of the robot.
WORK = {"act": 24, "send": 20, "arrive": 20, "acknowledge": 20, "settle": 4, "greet": 6, "sync": 6, "background": 8}
WORK |= {"save": 1, "repair": 3, "silence": 2}
FAULTS = {"kill actor": 1, "kill learner": 1, "fill": 1, "jump": 1, "cut": 1, "flip": 1, "disturb": 6, "junk": 2}


@dataclass(frozen=True)
class Tally:
    """The account of a world, by a reader that shares no code with the product.

    Attributes:
        recorded: Records that the robot's log has taken.
        stored: Records in the learner's log.
        quarantined: Records of which the last sound copy had a flipped bit, and which the product names as such.
        lost: Records that are neither stored nor named, or are named without a flipped bit.
        doubled: Steps that are stored more than once.
        out_of_order: Records behind a later one.
        wrong: Stored records that are another step than the one recorded under their number.
        misnamed: Quarantined records with the place of another step.
        faults: Number of the faults of each kind.
    """

    recorded: int = 0
    stored: int = 0
    quarantined: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    wrong: int = 0
    misnamed: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def violations(self) -> int:
        """The number of records that must not be."""
        return self.lost + self.doubled + self.out_of_order + self.wrong + self.misnamed

    def __add__(self, other: Tally) -> Tally:
        mine, others = vars(self), vars(other)
        return Tally(**{name: mine[name] + others[name] for name in mine})

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "faults": dict(sorted(self.faults.items()))}


class Day(World):
    """A world with a ledger: the records that the robot's log has taken, and those of which a bit was flipped."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.recorded: defaultdict[str, set[int]] = defaultdict(set)
        self.flipped: defaultdict[str, set[int]] = defaultdict(set)
        super().__init__(folder, seed)

    def act(self) -> None:
        """Record some steps, and note those that the log has taken."""
        for _ in range(self.draw.randint(1, BURST)):
            super().act()
        for name, numbers in self.owed.items():
            self.recorded[name] |= numbers

    def flip(self) -> None:
        """Flip a bit at rest, and note of which record."""
        before = {name: self._copies(name) for name in self.made}
        super().flip()
        for name, copies in before.items():
            self.flipped[name] |= {seq for _, seq in copies - self._copies(name)}

    def _copies(self, name: str) -> set[tuple[str, int]]:
        return {("actor", seq) for seq in self.kept(name)} | {("learner", seq) for seq in self.stored(name)}

    def junk(self) -> None:
        """Let a stranger send mutated messages, and sound ones before a HELLO.

        Its HELLO is left out: with keys it is bound to the stranger's own name. F33 has peers that lie in it.
        """
        for _ in range(self.draw.randint(1, JUNK_MESSAGES)):
            try:
                message, raw = wire.decode(mutated(self.draw, [*FROM_ACTOR, *JUNK]), "actor")
                self._offer(message, raw)
            except (WireError, UnknownSessionError, *REFUSED):
                continue

    def _offer(self, message: wire.Message, raw: bytes) -> None:
        stranger = f"{self.draw.randrange(1 << 64):032x}"
        if self.intake is None:
            return
        if isinstance(message, Records):
            self.intake.records(stranger, message.first_seq, message.count, raw)
        elif isinstance(message, Lost):
            self.intake.lost(stranger, message)
        elif isinstance(message, Heartbeat):
            self.intake.heartbeat(stranger)
        else:
            return
        raise ViolationError(f"a stranger's {type(message).__name__} was taken")

    def tally(self) -> Tally:
        """Return the account of all sessions, after `calm`."""
        found = sum((self._session(name) for name in sorted(self.recorded)), Tally())
        return found + Tally(faults=Counter(self.faults))

    def _session(self, name: str) -> Tally:
        log = self._folder / "learner" / "log" / name
        records = self._read(log)
        own = [one for one in records if one.sound and one.kind != LOST]
        steps, numbers = [one.number("step_index") for one in own], [one.seq for one in records]
        stored, recorded = {one.seq for one in own}, self.recorded[name]
        missing = recorded - stored
        named = self._named(log) & self.flipped[name]
        return Tally(
            recorded=len(recorded),
            stored=len(stored),
            quarantined=len(missing & named),
            lost=len(missing - named),
            doubled=len(steps) - len(set(steps)),
            out_of_order=sum(after <= before for before, after in pairwise(numbers)),
            wrong=sum(number not in self.made[name][one.seq] for one, number in zip(own, steps, strict=True)),
            misnamed=sum(self._is_misnamed(name, one) for one in records if one.sound and one.kind == LOST),
        )

    def _named(self, log: Path) -> set[int]:
        """Return the numbers that `steadyhand log check` lists."""
        with self._aside():
            found = log_account.account(log)
        return {seq for bad in found.bad for seq in range(bad.first_seq, bad.end_seq)}

    def _is_misnamed(self, name: str, one: PlainRecord) -> bool:
        return one.number("step_index") not in self.made[name][one.seq]


def live(seed: int, steps: int) -> Tally:
    """Run one world until its robot has recorded `steps` steps, end all faults, and return the account.

    Raises:
        ViolationError: An account on the way did not hold; the text has the seed.
    """
    with tempfile.TemporaryDirectory(prefix="day-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        day = Day(Path(folder), seed)
        try:
            for number in range(PATIENCE * steps):
                if day.steps >= steps:
                    break
                step(day, WORK, FAULTS)
                if number % LOOK_EVERY == 0:
                    day.check()
            day.check()
            day.calm()
            return day.tally()
        except Exception as error:
            raise ViolationError(f"seed {seed}, {steps} steps, after {len(day.trace)} things: {error!r}") from error
        finally:
            day.close()
