from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.session_log import LogFaultError, LogFullError, Session, kept_if_used, open_session
from steadyhand.transport import segment
from steadyhand.transport.ack_file import read_acknowledged
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind, record_dtype
from steadyhand.transport.run_identity import Identity, read_identity
from tests.unit.actor.point_env import PointEnv

SCHEMA = env_schema(PointEnv())
SEGMENT = 64_000


def open_here(folder, schema=SCHEMA, actor_id="robot-1", trim=False):
    return open_session(folder, schema, actor_id, SEGMENT, trim)


def record(episode_id, kind=Kind.STEP):
    made = np.zeros((), record_dtype(SCHEMA))
    made["episode_id"], made["kind"] = episode_id, kind
    return made


def test_a_new_session(tmp_path):
    session = open_here(tmp_path / "log")
    assert session.folder == tmp_path / "log" / session.session_id
    assert len(bytes.fromhex(session.session_id)) == 16
    assert (session.steps, session.next_episode_id, session.schema) == (0, 0, SCHEMA)
    session.writer.close()


def test_a_killed_process_is_continued_where_it_was(tmp_path):
    first = open_here(tmp_path)
    for made in (record(0), record(0), record(0, Kind.FINAL), record(1)):
        first.append(made)
    second = open_here(tmp_path)  # the first one was never closed
    assert second.session_id == first.session_id
    assert (second.steps, second.next_episode_id, second.writer.next_seq) == (3, 2, 4)
    second.append(record(2))
    second.writer.close()
    reader = LogReader(second.folder)
    assert reader.read(0, len(reader))["seq"].tolist() == [0, 1, 2, 3, 4]


def test_an_empty_session_is_continued_too(tmp_path):
    first = open_here(tmp_path)
    first.writer.close()
    second = open_here(tmp_path)
    assert second.session_id == first.session_id
    assert (second.steps, second.next_episode_id) == (0, 0)
    second.writer.close()


@pytest.mark.parametrize("change", [{"actor_id": "robot-2"}, {"schema": env_schema(PointEnv(frames=True))}])
def test_another_robot_or_schema_starts_its_own(tmp_path, change):
    first = open_here(tmp_path)
    first.append(record(0))
    first.writer.close()
    second = open_here(tmp_path, **change)
    assert second.session_id != first.session_id
    assert second.next_episode_id == 0
    second.writer.close()


def test_what_is_no_session_is_left_alone(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / ("ab" * 16)).mkdir()
    session = open_here(tmp_path)
    assert session.session_id != "ab" * 16
    session.writer.close()


def test_what_the_learner_holds_is_forgotten(tmp_path):
    session = open_here(tmp_path, trim=True)
    for _ in range(2000):
        session.append(record(0))
    before = len(list(session.folder.glob("*.segment")))
    session.settle(session.writer.next_seq)
    assert len(list(session.folder.glob("*.segment"))) < before
    session.writer.close()
    assert open_here(tmp_path, trim=True).writer.next_seq == 2000


class FullDisk:
    def append(self, record):
        raise OSError(28, "No space left on device")

    def sync(self):
        raise OSError(5, "Input/output error")


def test_a_full_disk_is_a_fault_of_the_log():
    session = Session("robot-1", "ab" * 16, FullDisk(), 0, 0)
    with pytest.raises(LogFullError, match=r"log: .*No space left.*free disk space, it goes on by itself"):
        session.append(record(0))
    with pytest.raises(LogFaultError, match=r"Input/output error.*start again") as caught:
        session.settle(0)
    assert not isinstance(caught.value, LogFullError)


def test_without_room_for_a_note_only_what_was_noted_is_forgotten(tmp_path, monkeypatch):
    session = open_here(tmp_path, trim=True)
    for _ in range(2000):
        session.append(record(0))
    session.settle(500)
    kept = len(list(session.folder.glob("*.segment")))

    def full(folder, durable_seq):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("steadyhand.actor.session_log.note_acknowledged", full)
    session.settle(session.writer.next_seq)
    assert len(list(session.folder.glob("*.segment"))) == kept
    assert read_acknowledged(session.folder) == 500
    monkeypatch.undo()
    session.settle(session.writer.next_seq)
    assert len(list(session.folder.glob("*.segment"))) < kept
    session.writer.close()


@pytest.mark.parametrize(("number", "broken"), [(28, False), (27, False), (5, True)])
def test_only_a_lack_of_room_can_be_waited_for(number, broken):
    session = Session("robot-1", "ab" * 16, SimpleNamespace(fault=OSError(number, "no")), 0, 0)
    assert bool(session.broken()) is broken


def test_a_session_without_a_record_goes_with_a_start_that_was_refused(tmp_path):
    folder = tmp_path / "log" / "actor"
    folder.parent.mkdir()
    session = open_session(folder, SCHEMA, "arm", 1 << 16, trim=False)
    with pytest.raises(KeyError), kept_if_used(session), closing(session.writer):
        raise KeyError
    assert list(folder.parent.iterdir()) == []


def test_a_session_with_a_record_stays_whatever_happens(tmp_path):
    session = open_session(tmp_path, SCHEMA, "arm", 1 << 16, trim=False)
    session.append(record(0))
    with pytest.raises(KeyError), kept_if_used(session), closing(session.writer):
        raise KeyError
    assert open_session(tmp_path, SCHEMA, "arm", 1 << 16, trim=False).session_id == session.session_id


def test_another_robot_or_task_starts_a_session_of_its_own(tmp_path):
    fr3, ur = Identity(task="a:b", robot="fr3"), Identity(task="a:b", robot="ur")

    def opened(identity):
        session = open_session(tmp_path, SCHEMA, "arm", SEGMENT, False, identity)
        session.writer.close()
        return session.session_id

    first = opened(fr3)
    assert opened(fr3) == first
    assert opened(ur) != first
    assert opened(Identity(task="c:d", robot="fr3")) != first
    assert read_identity(tmp_path / first) == fr3


def test_a_session_of_an_earlier_release_goes_on_and_is_given_an_identity(tmp_path):
    first = open_here(tmp_path)
    first.append(record(0))
    first.writer.close()
    (first.folder / "identity.json").unlink()
    again = open_session(tmp_path, SCHEMA, "robot-1", SEGMENT, False, Identity(robot="fr3"))
    again.writer.close()
    assert again.session_id == first.session_id
    assert read_identity(again.folder).robot == "fr3"


def test_a_log_whose_records_are_all_delivered_and_deleted_says_so(tmp_path):
    session = open_here(tmp_path)
    for _ in range(5):
        session.append(record(1))
    session.writer.close()
    assert not open_here(tmp_path).begins_empty
    # A kill between the making of a file and its first record; the files before it are with the learner.
    for path in session.folder.glob("*.segment"):
        path.unlink()
    temporary, empty = segment.create(session.folder, SCHEMA, "robot-1", session.session_id, 5, SEGMENT)
    temporary.rename(empty.path)
    found = open_here(tmp_path)
    assert (found.begins_empty, found.writer.next_seq, found.next_episode_id) == (True, 5, 0)
    found.writer.close()
