import errno
import os
import threading

import msgspec
import numpy as np
import pytest

from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.record import record_dtype
from steadyhand.transport.run_identity import Identity, read_identity
from steadyhand.transport.weights import WeightsError
from steadyhand.transport.wire import Accept, Reject, WireError
from tests.transport_kit import CONFIG, SCHEMA, frames, hello, intake_in, session_id


def test_accept_says_what_the_actor_needs(tmp_path):
    intake = intake_in(tmp_path, learner_epoch=4)
    answer = intake.hello(hello())
    assert isinstance(answer, Accept)
    assert answer.policy_spec == {"action_size": 2}
    assert (answer.learner_epoch, answer.policy_version, answer.next_seq) == (4, 7, 0)
    assert intake.schema == SCHEMA


def test_records_are_stored_as_they_are_and_reported(tmp_path):
    sent = frames(tmp_path / "actor", 12)
    intake = intake_in(tmp_path / "learner")
    seen = []
    intake.sinks.append(lambda *arguments: seen.append(arguments))
    intake.hello(hello())
    size = len(sent) // 12
    assert intake.records(session_id(0), 0, 5, sent[: 5 * size]).next_seq == 5
    assert intake.records(session_id(0), 7, 5, sent[7 * size :]).next_seq == 5  # a gap
    assert intake.records(session_id(0), 0, 5, sent[: 5 * size]).next_seq == 5  # a duplicate
    ack = intake.records(session_id(0), 3, 9, sent[3 * size :])  # partly a duplicate
    assert (ack.next_seq, ack.status.updates) == (12, 3)
    assert seen == [(session_id(0), 0, 5), (session_id(0), 5, 12)]
    (reader,) = intake.readers()
    assert reader.refresh() == 12
    assert reader.frame(0, 12) == sent


def test_no_record_before_hello(tmp_path):
    intake = intake_in(tmp_path)
    with pytest.raises(UnknownSessionError):
        intake.records(session_id(0), 0, 1, b"")
    with pytest.raises(UnknownSessionError):
        intake.heartbeat(session_id(0))


def test_a_frame_that_is_not_what_the_header_says_is_a_wire_error(tmp_path):
    sent = frames(tmp_path / "actor", 2)
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    damaged = bytearray(sent)
    damaged[100] ^= 1
    for count, frame in ((2, sent[:-1]), (1, sent), (3, sent), (2, bytes(damaged)), (1 << 40, b"")):
        with pytest.raises(WireError):
            intake.records(session_id(0), 0, count, frame)
    assert intake.next_seq(session_id(0)) == 0
    assert intake.records(session_id(0), 0, 2, sent).next_seq == 2


def test_next_is_what_the_logs_say_after_a_restart(tmp_path):
    sent = frames(tmp_path / "actor", 13)
    first = intake_in(tmp_path / "learner")
    first.hello(hello())
    first.records(session_id(0), 0, 13, sent)  # never closed: killed
    second = intake_in(tmp_path / "learner")
    assert second.schema == SCHEMA
    assert second.next_seq(session_id(0)) == 13
    (reader,) = second.readers()
    assert second.hello(hello()).next_seq == 13
    assert second.readers() == [reader]
    assert len(reader) == 13


def test_a_record_torn_by_a_kill_is_asked_for_again(tmp_path):
    sent = frames(tmp_path / "actor", 4)
    first = intake_in(tmp_path / "learner")
    first.hello(hello())
    first.records(session_id(0), 0, 4, sent)
    path = next((tmp_path / "learner").rglob("*.segment"))
    with path.open("r+b") as file:
        file.seek(8192 + 3 * (len(sent) // 4) + 60)
        file.write(b"torn")
    second = intake_in(tmp_path / "learner")
    assert second.hello(hello()).next_seq == 3
    assert second.records(session_id(0), 3, 1, sent[3 * (len(sent) // 4) :]).next_seq == 4


def test_records_that_the_actor_has_lost_are_left_out(tmp_path):
    intake = intake_in(tmp_path)
    intake.hello(hello())
    assert intake.hello(msgspec.structs.replace(hello(), first_seq=40)).next_seq == 40
    assert intake.hello(hello()).next_seq == 40


def test_a_full_disk_acknowledges_nothing_and_recovers(tmp_path, monkeypatch):
    sent = frames(tmp_path / "actor", 4)
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    real = os.pwritev

    def full(fd, parts, offset):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    with pytest.raises(OSError, match="No space"):
        intake.records(session_id(0), 0, 4, sent)
    monkeypatch.setattr(os, "pwritev", real)
    assert intake.next_seq(session_id(0)) == 0
    assert intake.records(session_id(0), 0, 4, sent).next_seq == 4


def test_weights_larger_than_a_message_are_refused_before_sending(tmp_path):
    with pytest.raises(WeightsError, match="max_weights_bytes"):
        intake_in(tmp_path).publish(bytes(CONFIG.max_weights_bytes + 1))


def test_readers_serve_another_thread_while_records_arrive(tmp_path):
    sent = frames(tmp_path / "actor", 200)
    size = len(sent) // 200
    intake = intake_in(tmp_path / "learner")
    done, wrong = threading.Event(), []

    def train():
        total = 0
        while not done.is_set() or total < 200:
            for reader in intake.readers():
                total = reader.refresh()
                steps = reader.gather(np.arange(total), "step_index")
                if steps.tolist() != list(range(total)):
                    wrong.append(steps)

    thread = threading.Thread(target=train)
    thread.start()
    intake.hello(hello())
    for seq in range(0, 200, 4):
        intake.records(session_id(0), seq, 4, sent[seq * size : (seq + 4) * size])
    done.set()
    thread.join(20)
    assert not thread.is_alive()
    assert wrong == []
    intake.sync()
    intake.close()


def test_a_session_that_came_and_went_between_two_looks_is_not_missed(tmp_path):
    sent = frames(tmp_path / "actor", 3)
    intake = intake_in(tmp_path / "learner")
    assert intake.readers() == []
    intake.hello(hello())
    intake.records(session_id(0), 0, 3, sent)
    intake.bye(session_id(0))
    (reader,) = intake.readers()
    assert reader.refresh() == 3


def test_only_what_is_synced_is_durable(tmp_path, monkeypatch):
    intake = intake_in(tmp_path / "learner")
    intake.hello(hello())
    size, raw = record_dtype(SCHEMA).itemsize, frames(tmp_path / "actor", 8)
    intake.records(session_id(0), 0, 5, raw[: 5 * size])
    assert intake.status(session_id(0)).durable_seq == 0
    real, refused = os.fsync, []

    def refuse(fd):
        refused.append(fd)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        intake.sync()
    assert refused
    assert intake.status(session_id(0)).durable_seq == 0
    monkeypatch.setattr(os, "fsync", real)
    intake.sync()
    assert intake.status(session_id(0)).durable_seq == 5
    intake.records(session_id(0), 5, 3, raw[5 * size :])
    assert intake.status(session_id(0)).durable_seq == 5
    intake.bye(session_id(0))  # seals
    assert intake.status(session_id(0)).durable_seq == 8
    # A restart knows nothing until it has sealed what it found.
    intake = intake_in(tmp_path / "learner")
    assert intake.status(session_id(0)).durable_seq == 0
    intake.hello(hello())
    assert intake.status(session_id(0)).durable_seq == 8
    intake.close()


def test_an_actor_is_told_how_large_the_weights_are(tmp_path):
    intake = intake_in(tmp_path)
    assert intake.hello(hello()).weights_bytes == 0
    intake.publish(bytes(1234))
    assert intake.hello(hello()).weights_bytes == 1234
    intake.close()


HERE = Identity("pegs", "ab" * 16, "tasks:Peg", "fr3", 7)


def hello_of(number=0, **changes):
    identity = msgspec.structs.replace(HERE, **changes)
    return msgspec.structs.replace(hello(number, actor_id=f"arm{number}"), identity=identity)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"run_name": "reach", "run_id": "cd" * 16}, "run: expected pegs (abababab), found reach (cdcdcdcd); start"),
        ({"task": "tasks:Reach"}, "task: expected tasks:Peg, found tasks:Reach; give actor and learner the same task"),
        ({"robot": "ur", "joints": 6}, "robot: expected fr3, found ur; joints: expected 7, found 6; start a new run"),
    ],
)
def test_another_run_task_or_robot_is_refused_in_one_line(tmp_path, changes, line, caplog):
    intake = intake_in(tmp_path, identity=HERE)
    answer = intake.hello(hello_of(**changes))
    assert isinstance(answer, Reject)
    assert len(answer.reasons) == 1
    assert answer.reasons[0].startswith(line)
    assert len(answer.reasons[0]) < 200  # longer ones are cut
    assert f"rejected arm0: {line}" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_another_robot_is_accepted_where_the_learner_says_so(tmp_path, caplog):
    intake = intake_in(tmp_path, identity=HERE, accept_other_robot=True)
    assert isinstance(intake.hello(hello_of(robot="ur")), Accept)
    assert "robot: expected fr3, found ur; accepted" in caplog.text
    assert isinstance(intake.hello(hello_of(1, run_id="cd" * 16)), Reject)  # of another run it is not
    intake.close()


def test_the_first_actor_tells_the_robot_and_a_restart_remembers_it(tmp_path):
    run = Identity("pegs", "ab" * 16)
    intake = intake_in(tmp_path, identity=run)
    accept = intake.hello(hello_of(run_id=""))
    assert accept.identity.run_id == "ab" * 16  # for the actor to take on
    assert intake.identity == HERE
    assert isinstance(intake.hello(hello_of(1, robot="ur")), Reject)
    intake.close()
    assert read_identity(tmp_path / session_id(0)) == HERE
    again = intake_in(tmp_path, identity=run)
    assert again.identity == HERE
    assert isinstance(again.hello(hello_of(1, robot="ur")), Reject)
    again.close()


def test_an_actor_that_tells_nothing_is_accepted(tmp_path):
    intake = intake_in(tmp_path, identity=HERE)
    assert isinstance(intake.hello(hello()), Accept)
    intake.close()
