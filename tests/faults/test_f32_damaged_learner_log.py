"""F32: bytes or files of a learner's log are lost. The actor's copy repairs them; what has none is not trained on."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from steadyhand.learner.replay.soundness import Soundness
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.intake import Intake
from steadyhand.transport.log import LogReader
from steadyhand.transport.scrubber import Scrubber
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.integrity.plain_log import LOST, flip, read_log
from tests.transport_kit import CONFIG, hello, intake_in, reaching, session_id, wait_until, write_episode, writer_in

EPISODES, STEPS = 10, 29  # 30 records each, in segments of ten
COUNT = EPISODES * (STEPS + 1)
READS = 1, 0.99, 1  # what the sampler's transitions read: one step, no history


class World:
    """A learner whose intake is started again and again, and one actor with a log that it keeps."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        with closing(writer_in(folder / "actor")) as writer:
            for episode in range(EPISODES):
                write_episode(writer, 0, episode, STEPS)
        self.written = [one.raw for one in read_log(folder / "actor")]
        self.serve()
        self.deliver()
        self.stop()

    @property
    def stored(self) -> Path:
        return self.folder / "learner" / session_id(0)

    def serve(self) -> Intake:
        self.intake = intake_in(self.folder / "learner")
        self.server = ZmqServer(self.intake, CONFIG)
        self.stack.callback(self.stop)
        return self.intake

    def deliver(self) -> ZmqUplink:
        with closing(LogReader(self.folder / "actor")) as reader:
            uplink = self.stack.enter_context(closing(ZmqUplink(reaching(CONFIG, self.server), reader)))
        uplink.connect(hello(), 10.0)
        wait_until(lambda: uplink.progress().next_seq == COUNT)
        return uplink

    def stop(self) -> None:
        self.server.close()
        self.intake.close()

    def is_whole(self) -> bool:
        stored = read_log(self.stored)
        return [one.seq for one in stored] == list(range(COUNT)) and [one.raw for one in stored] == self.written


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def cut(path: Path, lost_bytes: int) -> None:
    os.truncate(path, path.stat().st_size - lost_bytes)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


HARMS = {
    "first segment missing": (lambda found: found[0].unlink(), 10),
    "one missing": (lambda found: found[4].unlink(), 10),
    "three missing": (lambda found: [path.unlink() for path in found[4:7]], 30),
    "one short": (lambda found: cut(found[4], 1000), 6),
    "the last one short": (lambda found: cut(found[29], 1000), 6),
    "one of zeros": (lambda found: zero(found[4]), 10),
    "the last one missing": (lambda found: found[29].unlink(), 0),  # its end is not known: it is sent as new
}


@pytest.mark.parametrize("harm", HARMS)
def test_missing_records_are_asked_for_again(world, harm):
    do, missing = HARMS[harm]
    do(segments(world.stored))
    assert not world.is_whole()
    intake = world.serve()
    assert intake.quarantined() == missing
    uplink = world.deliver()
    wait_until(world.is_whole)
    wait_until(lambda: uplink.progress().quarantined == 0)
    intake.sync()
    wait_until(lambda: uplink.progress().durable_seq == COUNT)


def test_until_it_is_repaired_the_actor_is_not_told_to_forget_its_copy(world, monkeypatch):
    segments(world.stored)[4].unlink()
    intake = world.serve()
    monkeypatch.setattr(intake, "wanted", lambda session: None)  # nothing is repaired
    uplink = world.deliver()
    intake.sync()
    wait_until(lambda: uplink.progress().durable_seq == 40)
    assert uplink.progress().next_seq == COUNT


def test_without_the_filled_places_they_would_never_be_asked_for(world, monkeypatch):
    from steadyhand.transport import stored_sessions as module

    segments(world.stored)[4].unlink()
    real = module.recover
    monkeypatch.setattr(module, "recover", lambda folder, fill_from: real(folder))
    world.serve()
    world.deliver()
    assert [one.seq for one in read_log(world.stored)] == [*range(40), *range(50, COUNT)]


def test_what_the_actor_has_no_more_is_marked_as_lost_and_asked_for_once(world, caplog):
    segments(world.stored)[4].unlink()
    segments(world.folder / "actor")[4].unlink()
    world.serve()
    uplink = world.deliver()
    wait_until(lambda: [one.seq for one in read_log(world.stored) if one.kind == LOST] == list(range(40, 50)))
    # The records around them tell the place: the actor, which has forgotten them, does not know it.
    said = re.compile(r"seq (\d+)(?: to (\d+))?, episode 1, step (\d+): damaged or missing in its actor's log")

    def parts():  # in one message or several, as the learner asked
        return [(int(first), int(last or first), int(step)) for first, last, step in said.findall(caplog.text)]

    wait_until(lambda: [seq for first, last, _ in parts() for seq in range(first, last + 1)] == list(range(40, 50)))
    assert all(step == first - 30 for first, _, step in parts())
    lost = [one for one in read_log(world.stored) if one.kind == LOST]
    assert {one.number("episode_id") for one in lost} == {1}
    assert [one.number("step_index") for one in lost] == list(range(10, 20))
    uplink.close()
    world.stop()
    assert world.serve().quarantined() == 0  # they are known to be lost: nothing is asked for again


def store_of(intake: Intake) -> ReplayStore:
    store = ReplayStore(10_000)
    store.on_damage = intake.report_damage
    store.advance(store.refresh(intake.readers()))
    return store


def test_damage_under_a_running_learner_is_scrubbed_out_of_training_and_repaired(world):
    intake = world.serve()
    store, changes = store_of(intake), []
    assert len(store.online) == EPISODES * STEPS
    flip(world.stored, 137)
    with closing(Scrubber(lambda: [world.stored], lambda *found: changes.append(found), 1e9)):
        wait_until(lambda: changes)
    assert changes[0] == (session_id(0), [137])
    store.recheck(*changes[0])
    intake.report_damage(*changes[0])
    assert len(store.online) == EPISODES * STEPS - 2  # it starts no transition, and ends none
    assert store.quarantined == 1
    intake.mended_sinks.append(lambda *mended: changes.append(mended))
    world.deliver()
    wait_until(world.is_whole)
    wait_until(lambda: changes[-1] == (session_id(0), [137]) and len(changes) > 1)
    store.recheck(*changes[-1])
    assert sorted(store.online.tolist()) == sorted(store_of(intake).online.tolist())
    assert store.quarantined == 0


def test_without_the_scrubber_it_would_stay(world):
    intake = world.serve()
    store = store_of(intake)
    flip(world.stored, 137)
    store.refresh(intake.readers())
    assert len(store.online) == EPISODES * STEPS
    assert intake.quarantined() == 0


@pytest.mark.parametrize("checked", [True, False])
def test_a_resumed_learner_checks_each_record_at_its_first_use(world, checked, monkeypatch):
    intake = world.serve()
    saved = store_of(intake).save()
    world.stop()
    flip(world.stored, 137)
    intake = world.serve()
    if not checked:
        monkeypatch.setattr(Soundness, "bad", lambda self, rows, again=False: np.zeros(len(rows), np.bool_))
    store = ReplayStore(10_000)
    store.on_damage = intake.report_damage
    store.load(intake.readers(), saved)
    store.advance(store.refresh(intake.readers()))
    assert len(store.online) == EPISODES * STEPS  # opening reads no checksum of what was checked before
    assert store.drop_unfit(store.online, *READS) == checked
    assert not store.drop_unfit(store.online, *READS)
    assert len(store.online) == EPISODES * STEPS - 2 * checked
    assert intake.quarantined() == checked  # and asked for, once its actor is there


def test_repair_while_another_thread_reads(world):
    """Rows never move, and every row is either its own record or a lost one."""
    for path in segments(world.stored)[3:9]:
        path.unlink()
    intake = world.serve()
    done, wrong = threading.Event(), []

    def read() -> None:
        (reader,) = intake.readers()
        while not done.is_set():
            rows = np.arange(reader.refresh())
            reader.verify(rows[reader.damaged], again=True)
            seq, kind, step = (reader.gather(rows, name) for name in ("seq", "kind", "step_index"))
            if seq.tolist() != list(range(COUNT)) or not (kind[kind != LOST] <= 1).all() or (step < 0).any():
                wrong.append(seq)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        world.deliver()
        wait_until(world.is_whole, 60.0)  # the other thread leaves little of a busy processor
    finally:
        done.set()
        thread.join(10)
    assert not wrong
