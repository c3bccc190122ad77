"""F9: messages are dropped, doubled and swapped, either side crashes, the power fails: what is stored is what was sent.

The real logs, outbox and intake, and a wire that does whatever hypothesis thinks of. STEADYHAND_FAULT_OPERATIONS says
how many operations there are.
"""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from steadyhand.transport import log_folder
from steadyhand.transport import segment as seg
from steadyhand.transport.intake import Intake
from steadyhand.transport.log import LogWriter
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.outbox import Outbox
from steadyhand.transport.wire import Accept, Ack, Lost, WireError
from tests.faults.scale import FULL
from tests.integrity.plain_log import LOST, flip, read_log
from tests.transport_kit import CONFIG, hello, intake_in, record, session_id, writer_in

pytestmark = pytest.mark.timeout(1800 if FULL else 120)
OPERATIONS = int(os.environ.get("STEADYHAND_FAULT_OPERATIONS", 100_000 if FULL else 300))
STEPS = 50  # of one example at most
SPARE = 3  # hypothesis makes many an example shorter
MEMORY = Path("/dev/shm")  # power cuts are simulated, so no disk has to be waited for
STORED = "observation/state"


def die(writer: LogWriter) -> None:
    """Let go of a log as a killed process does: what is in the page cache stays, nothing is sealed."""
    prepared = writer._prepared
    writer._background.shutdown()
    if prepared.exception() is None:
        os.close(prepared.result()[1].fd)
    os.close(writer._segment.fd)


def settle(writer: LogWriter) -> None:
    """Wait until full segments are sealed: what may be forgotten must not depend on the pace of the machine."""
    writer._background.submit(int).result()


class Delivery(RuleBasedStateMachine):
    """One session of an actor, a learner, and what is under way between them."""

    done = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-", dir=MEMORY if MEMORY.is_dir() else None))
        self.there: list[tuple] = []  # records on their way
        self.back: list = []  # acknowledgements on their way
        self.appended = 0
        self.harmed: set[int] = set()  # records that were damaged on the actor's disk at some time
        self.broken: set[int] = set()  # records that were damaged on the learner's disk and not repaired
        self.safe = 0  # the highest number that the actor was told is durable
        self.starts = 0
        self.writer = writer_in(self.folder / "actor", trim=True)
        self.outbox = Outbox(self.folder / "actor", CONFIG)
        self.start_learner()

    def start_learner(self) -> None:
        self.intake: Intake = intake_in(self.folder / "learner")
        self.accepted = False

    def teardown(self) -> None:
        type(self).done += self.starts
        self.outbox.close()
        die(self.writer)
        for session in self.intake._sessions.values():
            die(session.writer)
        for reader in self.intake.readers():
            reader.close()
        shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 12))
    def append(self, count):
        for _ in range(count):
            self.writer.append(record(0, 0, self.appended))
            self.appended += 1
        settle(self.writer)

    @rule()
    def greet(self):
        """A new connection: nothing that was under way in the old one arrives any more."""
        self.there.clear()
        self.back.clear()
        answer = self.intake.hello(self.outbox.introduce(hello()))
        assert isinstance(answer, Accept), answer
        self.outbox.admit(answer)
        self.accepted = True

    @precondition(lambda self: self.accepted)
    @rule()
    def send(self):
        self.outbox.look()
        while (message := self.outbox.next_frame()) is not None:
            self.there.append(message)
        assert self.outbox.hole_end is None

    @precondition(lambda self: self.accepted)
    @rule()
    def silence(self):
        self.outbox.sender.on_silence()

    @precondition(lambda self: self.there)
    @rule(place=st.integers(0, 7))
    def arrive(self, place):
        """Records arrive, perhaps not in their order."""
        self.deliver(*self.there.pop(place % len(self.there)))

    def deliver(self, message, frame):
        try:
            if isinstance(message, Lost):
                self.back.append(self.intake.lost(session_id(0), message))
            else:
                self.back.append(self.intake.records(session_id(0), message.first_seq, message.count, frame))
            for session in self.intake._sessions.values():
                settle(session.writer)
        except UnknownSessionError:
            self.accepted = False
        except WireError:  # a bit changed on the actor's disk while the records were under way; they are sent again
            assert self.harmed & {*range(message.first_seq, message.first_seq + message.count)}

    @precondition(lambda self: self.back)
    @rule(place=st.integers(0, 7))
    def acknowledge(self, place):
        ack: Ack = self.back.pop(place % len(self.back))
        self.outbox.on_ack(ack.next_seq)
        self.outbox.on_durable(ack.status.durable_seq)
        self.safe = max(self.safe, ack.status.durable_seq)
        self.writer.forget(ack.status.durable_seq)

    @precondition(lambda self: self.there or self.back)
    @rule(place=st.integers(0, 7), twice=st.booleans(), back=st.booleans())
    def lose_or_double(self, place, twice, back):
        queue = self.back if back and self.back else self.there or self.back
        if twice:
            queue.append(queue[place % len(queue)])
        else:
            queue.pop(place % len(queue))

    @rule()
    def sync(self):
        self.intake.sync()

    @rule(seq=st.integers(0, 200))
    def damage_actor(self, seq):
        """One bit of a record on the actor's disk changes; the newest one is taken for a torn one, and left alone."""
        kept = [one.seq for one in read_log(self.folder / "actor") if one.sound][:-1]
        if kept:
            seq = kept[seq % len(kept)]
            flip(self.folder / "actor", seq)
            self.harmed.add(seq)

    @precondition(lambda self: self.accepted)
    @rule(seq=st.integers(0, 200))
    def damage_learner(self, seq):
        """One bit of a record on the learner's disk changes, and the scrubber finds it."""
        kept = [one.seq for one in read_log(self.folder / "learner" / session_id(0)) if one.sound][:-1]
        if kept:
            seq = kept[seq % len(kept)]
            flip(self.folder / "learner" / session_id(0), seq)
            self.intake.report_damage(session_id(0), [seq])
            self.broken.add(seq)

    @precondition(lambda self: self.accepted)
    @rule()
    def repair(self):
        """The learner finds what is damaged there and asks for it; what the actor has no more is lost."""
        folder = self.folder / "learner" / session_id(0)
        self.intake.report_damage(session_id(0), [one.seq for one in read_log(folder) if not one.sound])
        sound = {one.seq: one.raw for one in read_log(self.folder / "actor") if one.sound}
        asked = None
        while (wanted := self.intake.wanted(session_id(0))) not in (None, asked):
            asked = wanted
            self.deliver(*self.outbox.answer(wanted.first_seq, wanted.count))
        stored = {one.seq: one.raw for one in read_log(folder)}
        assert all(stored[seq] == sound[seq] for seq in self.broken & sound.keys())
        self.broken -= sound.keys()

    @rule()
    def crash_actor(self):
        self.outbox.close()
        die(self.writer)
        self.writer = writer_in(self.folder / "actor", trim=True)
        assert self.writer.next_seq == self.appended
        self.outbox = Outbox(self.folder / "actor", CONFIG)
        self.accepted = False

    @rule(power=st.booleans())
    def crash_learner(self, power):
        """The process dies; with the power everything goes that was not synced."""
        for reader in self.intake.readers():
            reader.close()
        # The status says less: it stops at the first damaged record, so that its actor keeps it.
        synced = {name: self.intake._stored.durable.get(name, 0) for name in self.intake._sessions}
        for session in self.intake._sessions.values():
            die(session.writer)
        if power:
            for name, durable_seq in synced.items():
                self.broken -= forget_from(self.folder / "learner" / name, durable_seq)
        self.start_learner()

    @invariant()
    def stored_is_a_prefix_of_sent(self):
        self.starts += 1
        readers = self.intake.readers()
        if not readers:
            assert self.safe == 0
            return
        (reader,) = readers
        reader.refresh()
        reader.verify(np.arange(len(reader)), again=True)
        rows = np.arange(len(reader))
        assert reader.gather(rows, "seq").tolist() == list(range(len(reader)))
        stored = read_log(self.folder / "learner" / session_id(0))
        assert [one.seq for one in stored] == list(range(len(stored)))
        own = np.array([one.seq for one in stored if one.sound and one.kind != LOST], np.int64)
        assert {*range(len(stored))} - {*own.tolist()} <= self.harmed | self.broken
        assert reader.gather(own, "step_index").tolist() == own.tolist()
        assert reader.gather(own, STORED)[:, 2].tolist() == own.tolist()
        # What the actor may forget is there, whatever has happened since; and nothing is there that it never recorded.
        assert self.safe <= len(reader) <= self.appended


def forget_from(folder: Path, durable_seq: int) -> set[int]:
    """Take what was never synced from a log, as a power cut does at worst: zeros remain. Return its numbers."""
    forgotten: set[int] = set()
    for first_seq, path in log_folder.paths(folder):
        part = seg.open_segment(path, writable=True)
        _, sealed = part.known()
        begin = part.offset(max(0, durable_seq - first_seq))
        if not sealed and begin < path.stat().st_size:
            os.pwrite(part.fd, bytes(path.stat().st_size - begin), begin)
            forgotten.update(range(max(first_seq, durable_seq), first_seq + part.capacity))
        os.close(part.fd)
    return forgotten


def test_what_is_stored_is_what_was_sent(record_property):
    Delivery.done = 0
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=max(1, SPARE * OPERATIONS // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=not FULL,
        ),
    )
    record_property("operations", Delivery.done)
    assert Delivery.done >= OPERATIONS


def test_damage_in_front_of_what_a_power_cut_took_is_damage_and_no_torn_end():
    """A log whose last synced records are damaged: they are not cut off as unfinished, but asked for again."""
    world = Delivery()
    try:
        for count in (2, 1):  # the third one is never synced
            world.append(count)
            world.greet()
            world.send()
            world.arrive(0)
            if count == 2:
                world.sync()
        world.damage_learner(0)
        world.damage_learner(0)
        world.crash_learner(power=True)
        world.greet()
        assert world.broken == {0, 1}
        world.stored_is_a_prefix_of_sent()
        world.repair()
        assert world.broken == set()
        world.send()
        world.arrive(0)
        world.stored_is_a_prefix_of_sent()
        assert [one.sound for one in read_log(world.folder / "learner" / session_id(0))] == [True] * 3
    finally:
        world.teardown()


@pytest.mark.parametrize("too_early", [False, True])
def test_the_invariant_fails_where_records_are_forgotten_before_they_are_synced(too_early):
    """The twin that must fail: what has arrived counts as durable before any sync."""
    world = Delivery()
    try:
        world.append(5)
        world.greet()
        world.send()
        world.arrive(0)
        if too_early:
            world.safe = world.back[0].next_seq
        world.crash_learner(power=True)
        if too_early:
            with pytest.raises(AssertionError):
                world.stored_is_a_prefix_of_sent()
        else:
            world.stored_is_a_prefix_of_sent()
    finally:
        world.teardown()
