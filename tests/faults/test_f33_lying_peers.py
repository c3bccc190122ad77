"""F33: a paired peer that lies. Nothing impossible reaches training, and neither memory, disk nor files run out."""

import math
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from steadyhand.learner.config import ScaleFloors
from steadyhand.learner.policy_spec import moments
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport import wire
from steadyhand.transport.log import LogReader
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.peer_limits import MAX_HELLOS
from steadyhand.transport.quarantine import MAX_UNFIT
from steadyhand.transport.rate_limit import RateLimit
from steadyhand.transport.record import Kind
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.wire import Accept, Lost, Reject, WireError
from steadyhand.transport.zmq_server import ZmqServer
from tests.faults.peers import Honest, Hostile
from tests.transport_kit import (
    ACTION,
    CONFIG,
    SCHEMA,
    STATE,
    WRIST,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    writer_in,
)

NAN, INF = math.nan, math.inf
LIES = {
    "NaN observation": {"observation/state": [0.0, NAN, 0.0]},
    "infinite observation": {"observation/state": [0.0, 0.0, -INF]},
    "huge observation": {"observation/state": [1e20, 0.0, 0.0]},
    "NaN action": {"action": [NAN, 0.0]},
    "huge action": {"action": [0.0, 50.0]},
    "NaN human action": {"human_action": [NAN, NAN]},
    "NaN reward": {"reward": NAN},
    "infinite reward": {"reward": INF},
    "huge reward": {"reward": 1e30},
    "NaN reward term": {"reward_terms": [0.0, NAN]},
    "NaN command": {"gated_command": [NAN, 0.0, 0.0]},
    "unknown phase": {"phase": 7},
    "unknown kind": {"kind": 9},
    "negative step": {"step_index": -5},
    "impossible episode": {"episode_id": 1 << 62},
    "negative episode": {"episode_id": -1},
    "impossible version": {"policy_version": 1 << 62},
    "a loss that it did not state": {"kind": Kind.LOST},
}


def frame_of(folder: Path, rows: list[np.ndarray]) -> bytes:
    """Return sealed records, as a peer that speaks the protocol by hand would send them."""
    with closing(writer_in(folder, segment_bytes=1 << 20)) as writer:
        for row in rows:
            writer.append(row)
    with closing(LogReader(folder)) as reader:
        return reader.frame(0, len(rows))


def trained_on(folder: Path) -> np.ndarray:
    """Return the observations and rewards of every transition that a learner would sample, after a restart."""
    intake = intake_in(folder)
    store = ReplayStore(10_000)
    store.advance(store.refresh(intake.readers()))
    found = [np.empty(0)]
    for log, _, rows in store.by_log(store.online):
        for read in (rows, rows + 1):
            found += [log.gather(read, name).astype(np.float64).ravel() for name in ("observation/state", "action")]
        found += list(log.n_step(rows, 3, 0.99)[1:])
    intake.close()
    return np.concatenate([one.ravel() for one in found])


@pytest.mark.parametrize("lie", LIES)
def test_an_impossible_record_is_quarantined_and_those_around_it_are_stored(tmp_path, lie, caplog):
    rows = [record(step=step) for step in range(9)]
    rows[4] = record(step=4, **LIES[lie])
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    sent = frame_of(tmp_path / "peer", rows)
    ack = intake.records(session_id(0), 0, 9, sent)
    assert (ack.next_seq, ack.status.quarantined) == (9, 1)
    (reader,) = intake.readers()
    reader.refresh()
    assert np.flatnonzero(reader.gather(range(9), "kind") == Kind.LOST).tolist() == [4]
    size = len(sent) // 9
    assert reader.frame(0, 4) + reader.frame(5, 9) == sent[: 4 * size] + sent[5 * size :]
    assert f"session {session_id(0)}, seq 4, episode " in caplog.text
    assert "quarantined" in caplog.text
    intake.close()
    values = trained_on(tmp_path / "learner")
    assert np.isfinite(values).all()
    assert len(values)


def test_an_honest_record_that_is_not_valid_is_stored_as_it_is(tmp_path):
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    rows = [record(step=0), record(step=1, valid=False, action=[3.0, 0.0]), record(step=2, kind=Kind.FINAL)]
    assert intake.records(session_id(0), 0, 3, frame_of(tmp_path / "peer", rows)).status.quarantined == 0
    intake.close()


def test_without_the_check_the_lie_would_be_trained_on(tmp_path, monkeypatch):
    monkeypatch.setattr(RecordCheck, "faults", lambda self, records, stored=False: {})
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    rows = [record(step=step, **{"observation/state": [NAN, 0, 0]}) for step in range(64)]
    intake.records(session_id(0), 0, 64, frame_of(tmp_path / "peer", rows))
    intake.close()
    assert np.isnan(trained_on(tmp_path / "learner")).any()


def test_a_log_that_was_poisoned_before_is_trained_on_without_its_bad_records(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(RecordCheck, "faults", lambda self, records, stored=False: {})
        intake = intake_in(tmp_path / "learner")
        intake.hello(hello())
        rows = [record(step=step) for step in range(200)]
        for step in range(100, 164):
            rows[step] = record(step=step, **{"observation/state": [NAN, 0, 0]})
        intake.records(session_id(0), 0, 200, frame_of(tmp_path / "peer", rows))
        intake.close()
    values = trained_on(tmp_path / "learner")
    assert np.isfinite(values).all()
    assert len(values)
    assert not np.isfinite(moments(np.array([[0.0], [NAN]]), ScaleFloors(0.1))[0]).all()  # what such a record would do


def test_a_peer_that_goes_on_lying_is_banned_for_a_while_and_the_others_are_not(tmp_path, caplog):
    clock = FakeClock()
    intake = intake_in(tmp_path / "learner", clock=clock)
    intake.hello(hello())
    intake.hello(hello(1, actor_id="leg"))
    lie = [record(step=step, reward=NAN) for step in range(2 * MAX_UNFIT)]
    sent = frame_of(tmp_path / "peer", lie)
    size = len(sent) // len(lie)
    intake.records(session_id(0), 0, MAX_UNFIT - 1, sent[: (MAX_UNFIT - 1) * size])
    assert intake.is_open(session_id(0))
    intake.records(session_id(0), MAX_UNFIT - 1, 1, sent[(MAX_UNFIT - 1) * size : MAX_UNFIT * size])
    assert not intake.is_open(session_id(0))
    with pytest.raises(UnknownSessionError):
        intake.records(session_id(0), MAX_UNFIT, 1, sent[:size])
    answer = intake.hello(hello())
    assert isinstance(answer, Reject)
    assert "banned, as it sent 64 unfit records within 60 s" in answer.reasons[0]
    assert "banned arm" in caplog.text
    intake.heartbeat(session_id(1))
    clock.advance_ns(60_000_000_000)
    assert isinstance(intake.hello(hello()), Accept)
    intake.close()


def test_losses_are_bounded_by_what_one_message_could_carry(tmp_path):
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    assert intake.lost(session_id(0), Lost(0, 3, 0, 0)).next_seq == 3
    assert intake.lost(session_id(0), Lost(7, 1, 0, 0)).next_seq == 3  # a gap
    assert intake.lost(session_id(0), Lost(1, 3, 0, 0)).next_seq == 4  # partly known
    with pytest.raises(WireError, match="at most"):
        intake.lost(session_id(0), Lost(4, 1000, 0, 0))
    intake.close()


@pytest.fixture
def server(tmp_path) -> Iterator[ZmqServer]:
    server = ZmqServer(intake_in(tmp_path / "learner"), CONFIG)
    yield server
    server.close()
    server.intake.close()
    assert server.failure is None


@pytest.fixture
def hostile(server) -> Iterator[Hostile]:
    hostile = Hostile(server.address)
    yield hostile
    hostile.close()


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def flood(hostile: Hostile, count: int) -> None:
    for _ in range(count):
        for message in (wire.encode(hello()), wire.encode(wire.Bye())):
            hostile.socket.send_multipart(message)


def test_repeated_hello_neither_runs_out_of_files_nor_stops_the_others(tmp_path, server, hostile):
    with closing(Honest(server, tmp_path / "log")) as honest:
        honest.send(5)
        before = files()
        flood(hostile, 400)
        honest.send(20)
        wait_until(lambda: server.wire_errors > 0)
        honest.send(20)
        assert files() - before < 16
        assert honest.uplink.progress().connected


def test_without_the_limit_every_hello_would_be_answered(server, hostile, monkeypatch):
    monkeypatch.setattr(RateLimit, "exceeded", lambda self, peer: False)
    answers = 0
    for _ in range(2 * MAX_HELLOS):
        hostile.socket.send_multipart(wire.encode(hello()))
        while hostile.socket.poll(10_000):
            if isinstance(wire.decode(hostile.socket.recv_multipart(), "learner")[0], Accept):
                answers += 1
                break
    assert answers == 2 * MAX_HELLOS
    assert server.wire_errors == 0


GIANTS = {
    "a vector": replace(SCHEMA, observation=(replace(STATE, shape=(1 << 26,)), WRIST)),
    "a vector within a frame": replace(SCHEMA, observation=(replace(STATE, shape=(100_000,)), WRIST)),
    "an image": replace(SCHEMA, observation=(STATE, replace(WRIST, shape=(4000, 4000, 3)))),
    "an action": replace(SCHEMA, action=replace(ACTION, shape=(1 << 20,))),
    "a command": replace(SCHEMA, command_size=1 << 26),
}


@pytest.mark.parametrize("giant", GIANTS)
def test_a_giant_shape_is_refused_before_anything_is_allocated(tmp_path, giant):
    asked = []
    intake = intake_in(tmp_path, policy_spec=lambda schema: asked.append(schema) or {})
    tracemalloc.start()
    answer = intake.hello(hello(schema=GIANTS[giant]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(answer, Reject)
    assert "expected at most" in answer.reasons[0]
    assert (asked, list(tmp_path.iterdir())) == ([], [])
    assert peak < 1_000_000
    assert intake.schema is None
    assert isinstance(intake.hello(hello()), Accept)
    intake.close()


@pytest.mark.parametrize("count", [23, 64], ids=["large", "so large that it looks small"])
def test_sizes_that_wrap_around_are_refused_by_the_decoder(server, hostile, count):
    """numpy counts a record's bytes in 32 bits: with 64 such images it would find fewer bytes than it then reads."""
    facts = SCHEMA.to_json()
    facts["observation"] += [
        {**facts["observation"][1], "name": f"v{n}", "shape": [4096, 4096, 4]} for n in range(count)
    ]
    frames = wire.encode(hello())
    message = msgspec.msgpack.decode(frames[0][len(wire.MAGIC) :])
    message["schema"]["observation"] = facts["observation"]
    hostile.socket.send_multipart([wire.MAGIC + msgspec.msgpack.encode(message)])
    wait_until(lambda: server.wire_errors == 1)
    assert server.intake.schema is None
