"""An actor, a link and a learner on two bad disks, in one thread under one fake clock: everything follows from a seed.

The product's own session, outbox, messages, intake, logs and checkpoints work here. The world draws what happens next:
work, and faults of all kinds, several at once. The account is taken by a reader that shares no code with the product.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from unittest import mock

import numpy as np

from steadyhand.actor.backlog import deliver_backlog
from steadyhand.actor.session_log import LogFaultError, LogFullError, Session, open_session
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport import wire
from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.outbox import Behind, Outbox, Rejected
from steadyhand.transport.uplink import Progress
from steadyhand.transport.wire import Accept, Ack, Hello, Lost, Records, WireError
from tests.disk_kit import Disk, Plan
from tests.integrity.plain_log import LOST, PlainRecord, header, layout, read_log
from tests.pool_kit import Pool
from tests.power_kit import POLICIES, leave
from tests.transport_kit import CONFIG, SCHEMA, intake_in, record

REFUSED = (OSError, LogError)
BAD_CALLS = 12  # a refused call comes within so many
MOST_CLOCK_S = 7200
CALM_ROUNDS = 60


class ViolationError(AssertionError):
    """The account of a world does not hold."""


class World:
    """One world. `make_step` lets one thing happen, `check` takes the account, `calm` ends all faults first."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw, self.clock = random.Random(seed), FakeClock()
        self.trace: list[str] = []
        self.faults: defaultdict[str, int] = defaultdict(int)
        self._stack, self._folder = ExitStack(), folder
        ids = mock.patch("secrets.token_hex", lambda size: self.draw.randbytes(size).hex())
        self._stack.enter_context(ids)
        self.disks: dict[str, Disk] = {}
        for side in ("actor", "learner"):
            (folder / side).mkdir()
            self.disks[side] = self._stack.enter_context(Disk(folder / side))
        self.there: list[list[bytes]] = []  # messages on their way to the learner, as they are on the wire
        self.back: list[list[bytes]] = []
        self.steps = 0  # the content of records: each step is made once
        self.made: defaultdict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.owed: defaultdict[str, set[int]] = defaultdict(set)  # numbers that must be in one log or the other
        self.durable: defaultdict[str, int] = defaultdict(int)  # as the actor was told
        self.settled: defaultdict[str, int] = defaultdict(int)
        self.damaged: set[tuple[str, int]] = set()  # in the learner's log, known there, and not repaired
        self.saved = 0  # step of the newest checkpoint
        self.checkpoints = CheckpointFolder(folder / "learner" / "checkpoints", keep=2)
        self.session: Session | None = None
        self.outbox: Outbox | None = None
        self.intake: Intake | None = None
        self.accepted = self.introduced = False
        self.start_actor()
        self.start_learner()

    # --------------------------------------------------------------------------------------- processes

    def start_actor(self) -> None:
        try:
            outbox = self._folder / "actor" / "outbox"
            self.session = open_session(outbox, SCHEMA, "arm", CONFIG.segment_bytes, trim=True)
            self.outbox = Outbox(self.session.folder, CONFIG)
        except REFUSED:
            self.kill("actor")

    def start_learner(self) -> None:
        try:
            self.checkpoints.clean()
            self.intake = intake_in(self._folder / "learner" / "log", clock=self.clock)
        except REFUSED:
            self.kill("learner")

    def kill(self, side: str, power: bool = False) -> None:
        """Kill a process; with its power, the disk keeps only what was synced for sure."""
        disk = self.disks[side]
        pools = list(Pool.alive)
        disk.die()
        mine = self._writers(side)
        Pool.alive += [pool for pool in pools if pool not in mine]
        if side == "actor":
            self.session = self.outbox = None
            self.introduced = False
        else:
            self.intake = None
        disk.plan, disk.full, self.accepted = None, False, False
        self.there.clear()
        self.back.clear()
        if power:
            left = leave(disk, len(disk.ops), self._folder / "left", self.draw.choice(POLICIES), self.draw.random())
            disk.replace(left)
            self._forgive(side)

    def _writers(self, side: str) -> list[object]:
        if side == "actor":
            return [] if self.session is None else [self.session.writer._background]
        return [] if self.intake is None else [one.writer._background for one in self.intake._sessions.values()]

    def _forgive(self, side: str) -> None:
        """A power cut may take what was never promised, and a record whose other copy a flipped bit has spoilt."""
        for name, owed in self.owed.items():
            promised = max(self.settled[name], self.durable[name]) if side == "actor" else self.durable[name]
            owed &= {*range(promised), *self.kept(name), *self.stored(name)}

    # --------------------------------------------------------------------------------------- logs, as they are

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Let the account's own calls pass."""
        for disk in self.disks.values():
            disk.quiet = True
        yield
        for disk in self.disks.values():
            disk.quiet = False

    def _read(self, place: Path) -> list[PlainRecord]:
        with self._aside():
            return read_log(place) if place.exists() else []

    def kept(self, name: str) -> set[int]:
        """Return the numbers of the sound records in the actor's log."""
        records = self._read(self._folder / "actor" / "outbox" / name)
        return {one.seq for one in records if one.sound}

    def stored(self, name: str) -> set[int]:
        """Return the numbers of the sound records in the learner's log, after a check of what they are."""
        records = self._read(self._folder / "learner" / "log" / name)
        numbers = [one.seq for one in records]
        self.expect(numbers == sorted(set(numbers)), "numbers of the learner's log ascend")
        own = [one for one in records if one.sound and one.kind != LOST]
        steps = [one.number("step_index") for one in own]
        self.expect(len(steps) == len(set(steps)), "no step is stored twice")
        for one, step in zip(own, steps, strict=True):
            self.expect(step in self.made[name][one.seq], f"seq {one.seq} is a step that was recorded under it")
        return {one.seq for one in own}

    def expect(self, holds: object, what: str) -> None:
        if not holds:
            raise ViolationError(f"expected that {what}; the last steps: {', '.join(self.trace[-12:])}")

    def check(self) -> None:
        """Take the account."""
        for name in self.made:
            stored, kept = self.stored(name), self.kept(name)
            missing = self.owed[name] - stored - kept
            self.expect(not missing, f"no acknowledged record is lost, missing {sorted(missing)[:5]}")
            told = {seq for seq in self.owed[name] if seq < self.durable[name] and (name, seq) not in self.damaged}
            self.expect(told <= stored, f"durable records are stored, missing {sorted(told - stored)[:5]}")
        with self._aside():
            self.checkpoints.clean()
            newest = self.checkpoints.newest()
        self.expect((newest.step if newest else 0) >= self.saved, f"checkpoint {self.saved} is there")

    def calm(self) -> None:
        """End all faults, start both sides again, and deliver everything: nothing may be left behind."""
        for side in ("actor", "learner"):
            self.kill(side)
        self.clock.advance_ns(MOST_CLOCK_S * 1_000_000_000)
        self.start_actor()
        self.start_learner()
        self.expect(self.session and self.outbox and self.intake, "both sides start again")
        for _ in range(CALM_ROUNDS):
            if not self.accepted or self.intake.next_seq(self.session.session_id) < self.session.writer.next_seq:
                self.greet()
            self.send()
            while self.there:
                self.arrive()
            while self.back:
                self.acknowledge()
            self.silence()
        self.repair()
        name = self.session.session_id
        self.expect(self.intake.next_seq(name) == self.session.writer.next_seq, "the learner gets everything")
        left = self.owed[name] & self.kept(name) - self.stored(name)
        self.expect(not left, f"every sound record arrives, left {sorted(left)[:5]}")
        self.intake.bye(name)
        deliver_backlog(self._folder / "actor" / "outbox", name, self._uplink, 60.0, trim=True, clock=self.clock)
        self.sync()
        self.check()
        for name, owed in self.owed.items():
            left = owed - self.stored(name)
            self.expect(not left, f"the learner has every record of {name[:8]}, left {sorted(left)[:5]}")

    def _uplink(self, reader: LogReader) -> LocalUplink:
        return _SyncedUplink(self.intake, reader)

    def close(self) -> None:
        for disk in self.disks.values():
            disk.die()
        self._stack.close()

    # --------------------------------------------------------------------------------------- work

    def act(self) -> None:
        """Record some steps; a run whose log cannot be written ends, and is started again."""
        if self.session is None:
            return self.start_actor()
        if not self.introduced:  # a run records only once a learner has accepted its session
            return self.greet()
        name = self.session.session_id
        for _ in range(self.draw.randint(1, 6)):
            seq = self.session.writer.next_seq
            self.made[name][seq].add(self.steps)
            try:
                self.session.append(record(0, 0, self.steps))
            except LogFullError:
                return None
            except LogFaultError:
                return self.kill("actor")
            self.owed[name].add(seq)
            self.steps += 1
        return None

    def settle(self) -> None:
        """End an episode: sync, and forget what the learner holds."""
        if self.session is not None:
            name = self.session.session_id
            with suppress(LogFaultError):
                end = self.session.writer.next_seq
                self.session.settle(self.durable[name])
                self.settled[name] = end

    def background(self) -> None:
        Pool.work_all()

    def greet(self) -> None:
        """Connect: nothing that was on its way in the old connection arrives any more."""
        if self.intake is None:
            return self.start_learner()
        if self.session is None or self.outbox is None:
            return None
        self.there.clear()
        self.back.clear()
        session = self.session
        hello = Hello.of(SCHEMA, session.actor_id, session.session_id)
        with suppress(*REFUSED, Rejected):
            try:
                answer = self.intake.hello(self.outbox.introduce(hello))
                self.outbox.admit(answer)
            except Behind as behind:
                session.writer.skip_to(behind.next_seq)
                answer = self.intake.hello(self.outbox.introduce(hello))
                self.outbox.admit(answer)
            self.accepted = isinstance(answer, Accept)
            self.introduced |= self.accepted
            if isinstance(answer, Accept):
                self._note(session.session_id, answer.status.durable_seq)
        return None

    def _note(self, name: str, durable: int) -> None:
        self.outbox.on_durable(durable)
        self.durable[name] = max(self.durable[name], durable)

    def send(self) -> None:
        if self.accepted and self.outbox is not None:
            try:
                self.outbox.look()
                while (message := self.outbox.next_frame()) is not None:
                    self.there.append(wire.encode(*message))
                if self.outbox.hole_end is not None:
                    self.greet()
            except REFUSED:
                self.cut()

    def silence(self) -> None:
        if self.outbox is not None:
            self.outbox.sender.on_silence()

    def arrive(self, place: int = 0) -> None:
        """Let the learner take a message."""
        if not self.there or self.intake is None or self.session is None:
            return
        name = self.session.session_id
        try:
            message, frame = wire.decode(self.there.pop(place), "actor")
            if isinstance(message, Lost):
                self.back.append(wire.encode(self.intake.lost(name, message)))
            elif isinstance(message, Records):
                before = self.intake.next_seq(name)
                ack = self.intake.records(name, message.first_seq, message.count, frame)
                self.back.append(wire.encode(ack))
                bad = [seq for seq in _altered(message, frame) if before <= seq < ack.next_seq]
                self.expect(not bad, f"altered bytes are refused, taken: {bad[:3]}")
        except UnknownSessionError:
            self.cut()
        except (WireError, *REFUSED):
            pass

    def acknowledge(self, place: int = 0) -> None:
        if self.back and self.outbox is not None and self.session is not None:
            message, _ = wire.decode(self.back.pop(place), "learner")
            if isinstance(message, Ack):
                self.outbox.on_ack(message.next_seq)
                self._note(self.session.session_id, message.status.durable_seq)

    def sync(self) -> None:
        if self.intake is not None:
            with suppress(OSError):
                self.intake.sync()

    def save(self) -> None:
        """Save a checkpoint, after a sync of the records that it has seen."""
        if self.intake is not None:
            step = self.saved + self.draw.randint(0 if self.saved else 1, 1)
            with suppress(OSError):
                self.intake.sync()
                self.checkpoints.save(step, {"learner.safetensors": b"%d" % step * 50}, {})
                self.saved = step

    def repair(self) -> None:
        """Scrub, and ask the actor for what is damaged."""
        if self.intake is None or self.session is None or self.outbox is None or not self.accepted:
            return
        name = self.session.session_id
        with suppress(*REFUSED, UnknownSessionError):
            with closing(LogReader(self._folder / "learner" / "log" / name)) as reader:
                rows = np.arange(len(reader))
                bad = rows[~reader.verify(rows)].tolist()
                self.intake.report_damage(name, [reader.seq_at(row) for row in bad])
            asked = None
            while (wanted := self.intake.wanted(name)) not in (None, asked):
                asked = wanted
                message, frame = self.outbox.answer(wanted.first_seq, wanted.count)
                if isinstance(message, Lost):
                    self.intake.lost(name, message)
                else:
                    self.intake.records(name, message.first_seq, message.count, frame)
            stored = self.stored(name)
            self.damaged -= {(name, seq) for seq in stored}

    # --------------------------------------------------------------------------------------- faults

    def cut(self) -> None:
        self.there.clear()
        self.back.clear()
        self.accepted = False

    def disturb(self) -> None:
        """Lose, double or swap a message, or flip a bit of one."""
        queue = self.draw.choice([queue for queue in (self.there, self.back) if queue] or [[]])
        if queue:
            place = self.draw.randrange(len(queue))
            kinds = ("drop", "double", "swap", "bit on the way")
            kind = self.draw.choice(kinds if len(queue[place]) > 1 else kinds[:3])
            self.faults[kind] += 1
            if kind == "drop":
                queue.pop(place)
            elif kind == "double":
                queue.append(queue[place])
            elif kind == "swap":
                queue.append(queue.pop(place))
            else:  # in the frame of records; the rest is protected by TCP and CurveZMQ alone
                frame = bytearray(queue[place][-1])
                frame[self.draw.randrange(len(frame))] ^= 1 << self.draw.randrange(8)
                queue[place] = [*queue[place][:-1], bytes(frame)]

    def fill(self) -> None:
        disk = self.disks[self.draw.choice(("actor", "learner"))]
        disk.full = not disk.full

    def refuse(self) -> None:
        """One of the next calls fails."""
        disk = self.disks[self.draw.choice(("actor", "learner"))]
        disk.plan = Plan(disk.count + self.draw.randrange(BAD_CALLS), self.draw.choice(("EIO", "ENOSPC", "short")))

    def jump(self) -> None:
        self.clock.advance_ns(self.draw.randrange(MOST_CLOCK_S * 1_000_000_000))

    def flip(self) -> None:
        """Flip a bit of a record at rest, which is not the newest one of its log."""
        if self.session is None or self.intake is None or not self.accepted:
            return
        name, side = self.session.session_id, self.draw.choice(("actor", "learner"))
        place = self._folder / "actor" / "outbox" / name
        self.faults["bit at rest"] += 1
        if side == "learner":
            place = self._folder / "learner" / "log" / name
        kept = [one.seq for one in self._read(place) if one.sound][:-1]
        if not kept:
            return
        seq = self.draw.choice(kept)
        other = self.stored(name) if side == "actor" else self.kept(name)
        with self._aside():
            self.disks[side].flip(*_place_of(place, seq), self.draw.randrange(8))
        if seq not in other or (side == "learner" and seq < self._promised(name)):
            self.owed[name].discard(seq)  # the only copy, or the actor may forget the other one at any time
        elif side == "learner":
            self.damaged.add((name, seq))
            self.intake.report_damage(name, [seq])

    def _promised(self, name: str) -> int:
        """Return the number before which the learner has called records durable, or does on the way to the actor."""
        messages = (wire.decode(message, "learner")[0] for message in self.back)
        return max(self.durable[name], *(one.status.durable_seq for one in messages if isinstance(one, Ack)), 0)


def step(world: World, work: Mapping[str, int], faults: Mapping[str, int]) -> None:
    """Let one thing happen: some work or a fault, drawn by their weights."""
    weights = {**work, **faults}
    name = world.draw.choices(list(weights), list(weights.values()))[0]
    world.trace.append(name)
    if name in faults:
        world.faults[name] += 1
    if name in ("arrive", "acknowledge"):
        for _ in range(world.draw.randint(1, 3)):
            queue = world.there if name == "arrive" else world.back
            late = len(queue) > 1 and world.draw.random() < 0.1
            getattr(world, name)(world.draw.randrange(len(queue)) if late else 0)
    elif name.startswith(("kill", "power")):
        world.kill(name.split()[1], power=name.startswith("power"))
    else:
        getattr(world, name)()


class _SyncedUplink(LocalUplink):
    """An uplink whose learner syncs at every look."""

    def progress(self) -> Progress:
        self._intake.sync()
        return super().progress()


def _altered(message: Records, frame: bytes) -> list[int]:
    """Return the numbers of the records whose bytes have changed on the way."""
    size = len(frame) // message.count
    parts = [frame[start : start + size] for start in range(0, len(frame), size)]
    wrong = [zlib.crc32(one[:-4]) != int.from_bytes(one[-4:], "little") for one in parts]
    return [message.first_seq + index for index, is_wrong in enumerate(wrong) if is_wrong]


def _place_of(folder: Path, seq: int) -> tuple[Path, int]:
    """Return the file of a record, and a byte in its observation."""
    for path in sorted(folder.glob("*.segment"), reverse=True):
        raw = path.read_bytes()
        place, first_seq, capacity, facts = header(raw) or header(raw, 4096)
        if first_seq <= seq < first_seq + capacity:
            columns = layout(facts["schema"])
            return path, place + (seq - first_seq) * sum(columns["crc"]) + columns["observation/state"][0]
    raise LookupError(seq)
