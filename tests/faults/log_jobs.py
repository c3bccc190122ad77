"""Jobs that a bad disk may disturb: a log, and an actor with its learner.

A job's `run` behaves as the product's own callers do after an error. Its `check` starts again on what is left, with a
reader that shares no code with the product, and goes on.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import ClassVar

from steadyhand.actor.session_log import LogFaultError, Session, open_session
from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Behind
from steadyhand.transport.wire import Hello
from tests.faults.disk_world import NEW, REFUSED, Ledger, attempt, own_steps
from tests.integrity.plain_log import read_log
from tests.pool_kit import Pool
from tests.transport_kit import CONFIG, SCHEMA, intake_in, record, writer_in


class LogJob:
    """A log of 25 records in three files, synced now and then."""

    process: ClassVar = ("stored",)  # promises that survive the death of the process
    power: ClassVar = ("synced",)  # promises that survive a power cut

    def run(self, folder: Path, ledger: Ledger) -> None:
        if (writer := attempt(writer_in, folder / "log")) is None:
            return
        for step in range(25):
            if attempt(writer.append, record(0, 0, step)) is None:
                break
            ledger.note("stored", step + 1)
            if step % 6 == 5 and attempt(writer.sync):
                ledger.note("synced", step + 1)
            if step % 4 == 3:
                Pool.work_all()
        with suppress(OSError):
            writer.close()
            ledger.note("synced", writer.next_seq)

    def check(self, folder: Path, promised: dict[str, int]) -> None:
        found = read_log(folder / "log") if (folder / "log").exists() else []
        kept = [one.seq for one in found if one.sound]
        assert kept == [one.number("step_index") for one in found if one.sound]
        # A power cut may damage what was not synced; a killed process damages nothing.
        assert set(kept) >= set(range(max(promised.values(), default=0)))
        assert "stored" not in promised or kept == list(range(len(kept)))
        with closing(writer_in(folder / "log")) as writer:
            end = writer.next_seq
            assert max(kept, default=-1) < end <= 25
            for step in range(12):
                writer.append(record(0, 0, NEW + step))
        after = {one.seq: one.number("step_index") for one in read_log(folder / "log") if one.sound}
        assert after == {**{seq: seq for seq in kept}, **{end + step: NEW + step for step in range(12)}}
        with closing(LogReader(folder / "log")) as reader:
            rows = reader.rows_of(list(after))
            assert reader.verify(rows).all()
            assert reader.gather(rows, "step_index").tolist() == list(after.values())


class LinkJob:
    """An actor that trims its log, and a learner: four episodes, delivered, synced and forgotten."""

    process: ClassVar = ("recorded", "durable")
    power: ClassVar = ("settled", "durable")

    def run(self, folder: Path, ledger: Ledger) -> None:
        intake = attempt(intake_in, folder / "learner")
        session = attempt(opened, folder)
        if session is None or intake is None:
            return
        uplink = attempt(linked, intake, session)
        for step in range(36):
            if attempt(lambda step=step: session.append(record(0, step // 9, step)) or True) is None:
                return  # as a run ends that cannot record
            ledger.note("recorded", step + 1)
            if step % 9 == 8:
                self._between(intake, session, uplink, ledger)
        with suppress(OSError):
            session.writer.close()
            ledger.note("settled", 36)
        if uplink is not None:
            with suppress(*REFUSED):
                uplink.close()
                ledger.note("durable", intake.status(session.session_id).durable_seq)
        with suppress(OSError):
            intake.close()

    def _between(self, intake: Intake, session: Session, uplink: LocalUplink | None, ledger: Ledger) -> None:
        if uplink is not None:
            uplink.notify()
            attempt(intake.sync)
            uplink.notify()
        Pool.work_all()
        durable = intake.status(session.session_id).durable_seq
        ledger.note("durable", durable)
        try:
            session.settle(durable)
        except LogFaultError:
            return
        ledger.note("settled", session.writer.next_seq)

    def check(self, folder: Path, promised: dict[str, int]) -> None:
        sessions = list((folder / "outbox").iterdir()) if (folder / "outbox").exists() else []
        held = [read_log(path) for path in (folder / "learner").iterdir()] if (folder / "learner").exists() else []
        stored, kept = (own_steps(one for log in logs for one in log) for logs in (held, map(read_log, sessions)))
        assert stored >= set(range(promised.get("durable", 0)))
        assert stored | kept >= set(range(max(promised.values(), default=0)))
        assert max(stored | kept, default=0) < 36
        with closing(intake_in(folder / "learner")) as intake:
            session = opened(folder)
            with closing(session.writer):
                uplink = linked(intake, session)
                begin = session.writer.next_seq
                for step in range(12):
                    session.append(record(0, 7, NEW + step))
                uplink.notify()
                assert uplink.progress().next_seq == session.writer.next_seq
                uplink.close()
        after = read_log(folder / "learner" / session.session_id)
        numbers = [one.seq for one in after]
        assert numbers == sorted(set(numbers))
        assert [one.number("step_index") for one in after[-12:]] == list(range(NEW, NEW + 12))
        assert numbers[-12] == begin
        # Without a promise the first session's name may be gone with its records; then another one has begun.
        if session.session_id in {path.name for path in sessions} or promised:
            assert own_steps(after[:-12]) >= stored | kept


def opened(folder: Path) -> Session:
    """Open the actor's session."""
    return open_session(folder / "outbox", SCHEMA, "arm", CONFIG.segment_bytes, trim=True)


def linked(intake: Intake, session: Session) -> LocalUplink:
    """Connect the session, and go on from what the learner holds, as a run does."""
    with closing(LogReader(session.folder)) as reader:
        uplink = LocalUplink(intake, reader)
    hello = Hello.of(session.schema, session.actor_id, session.session_id)
    try:
        uplink.connect(hello, 1.0)
    except Behind as behind:
        session.writer.skip_to(behind.next_seq)
        uplink.connect(hello, 1.0)
    except BaseException:
        uplink.close()
        raise
    return uplink
