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

from steadyhand.transport import segment as seg
from steadyhand.transport.intake import Intake, UnknownSessionError
from steadyhand.transport.log import LogWriter
from steadyhand.transport.outbox import Outbox
from steadyhand.transport.wire import Accept, Ack
from tests.faults.scale import FULL
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


class Delivery(RuleBasedStateMachine):
    """One session of an actor, a learner, and what is under way between them."""

    done = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-", dir=MEMORY if MEMORY.is_dir() else None))
        self.there: list[tuple] = []  # records on their way
        self.back: list = []  # acknowledgements on their way
        self.appended = 0
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
        records, frame = self.there.pop(place % len(self.there))
        try:
            self.back.append(self.intake.records(session_id(0), records.first_seq, records.count, frame))
        except UnknownSessionError:
            self.accepted = False

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
        synced = {name: self.intake.status(name).durable_seq for name in self.intake._sessions}
        for session in self.intake._sessions.values():
            die(session.writer)
        if power:
            for name, durable_seq in synced.items():
                forget_from(self.folder / "learner" / name, durable_seq)
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
        rows = np.arange(len(reader))
        assert reader.gather(rows, "seq").tolist() == list(range(len(reader)))
        assert reader.gather(rows, "step_index").tolist() == list(range(len(reader)))
        assert reader.gather(rows, STORED)[:, 2].tolist() == list(range(len(reader)))
        # What the actor may forget is there, whatever has happened since; and nothing is there that it never recorded.
        assert self.safe <= len(reader) <= self.appended


def forget_from(folder: Path, durable_seq: int) -> None:
    """Take from a log what was never synced: those bytes are zero after a power cut, at the worst."""
    for first_seq, path in seg.paths(folder):
        part = seg.open_segment(path, writable=True)
        _, sealed = part.known()
        begin = part.offset(max(0, durable_seq - first_seq))
        if not sealed and begin < path.stat().st_size:
            os.pwrite(part.fd, bytes(path.stat().st_size - begin), begin)
        os.close(part.fd)


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
