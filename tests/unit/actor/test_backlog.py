import pytest

from steadyhand.actor.backlog import deliver_backlog
from steadyhand.transport.ack_file import note_acknowledged, read_acknowledged
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.run_identity import Identity, read_identity, write_identity
from steadyhand.transport.schema import Schema
from steadyhand.transport.segment import Segment
from tests.integrity.plain_log import LOST, flip, read_log
from tests.transport_kit import SCHEMA, STATE, hello, intake_in, session_id, write_episode, writer_in


@pytest.fixture
def outbox(tmp_path):
    """Two sessions that nobody has taken, and the present one."""
    for number in (1, 2, 3):
        writer = writer_in(tmp_path / "actor" / session_id(number), number)
        write_episode(writer, number, 0, 10 * number)
        writer.close()
    return tmp_path / "actor"


def offer(outbox, intake, trim=False, timeout_s=20.0):
    return deliver_backlog(outbox, session_id(3), lambda reader: LocalUplink(intake, reader), timeout_s, trim)


def synced(tmp_path, **options):
    intake = intake_in(tmp_path / "learner", **options)
    intake.sinks.append(lambda *news: intake.sync())
    return intake


def test_earlier_sessions_are_delivered_whole_and_the_present_one_is_left(outbox, tmp_path):
    intake = synced(tmp_path)
    assert offer(outbox, intake).records == 0
    assert {reader.session_id: reader.refresh() for reader in intake.readers()} == {
        session_id(1): 11,
        session_id(2): 21,
    }
    assert [read_acknowledged(outbox / session_id(number)) for number in (1, 2, 3)] == [11, 21, 0]
    assert offer(outbox, None).records == 0  # nobody is asked again
    assert (outbox / session_id(1)).exists()


def test_where_logs_may_be_trimmed_they_are_deleted_once_the_learner_holds_them(outbox, tmp_path):
    offer(outbox, synced(tmp_path), trim=True)
    assert [path.name for path in outbox.iterdir()] == [session_id(3)]


def test_what_is_stored_and_not_durable_is_kept(outbox, tmp_path):
    intake = intake_in(tmp_path / "learner")
    intake.bye = lambda session: None  # nor sealed
    left = offer(outbox, intake, trim=True, timeout_s=0.05)
    size = LogReader(outbox / session_id(1)).dtype.itemsize
    assert (left.records, left.record_bytes) == (32, 32 * size)
    assert len(list(outbox.iterdir())) == 3


def test_what_the_learner_refuses_is_kept_and_said(outbox, tmp_path, caplog):
    other = Schema((STATE,), SCHEMA.action, 5, (), 0.2)
    assert offer(outbox, synced(tmp_path, required=other), trim=True, timeout_s=0.05).records == 32
    assert len(list(outbox.iterdir())) == 3
    assert "is kept: the learner refused" in caplog.text


def test_a_session_that_is_held_for_a_moment_is_waited_for(outbox, tmp_path):
    intake = synced(tmp_path)
    intake.hello(hello(9))  # of the same actor, and alive
    asked = intake.hello

    def later(hello):
        intake.bye(session_id(9))
        intake.hello = asked
        return answer

    answer = asked(hello(1))
    intake.hello = later
    assert offer(outbox, intake).records == 0


def test_a_damaged_log_is_left_alone(outbox, tmp_path, caplog):
    next((outbox / session_id(1)).glob("*.segment")).write_bytes(b"nothing")
    assert offer(outbox, synced(tmp_path), trim=True).records == 0
    assert (outbox / session_id(1)).exists()
    assert "left alone" in caplog.text


def test_each_session_is_offered_as_recorded_on_its_own_robot(outbox, tmp_path):
    write_identity(outbox / session_id(1), Identity(robot="ur"))
    write_identity(outbox / session_id(2), Identity(robot="fr3"))
    intake = synced(tmp_path, identity=Identity("pegs", "ab" * 16, robot="fr3"))
    run = Identity("pegs", "ab" * 16, robot="fr3")
    left = deliver_backlog(outbox, session_id(3), lambda reader: LocalUplink(intake, reader), 0.2, trim=False, run=run)
    assert left.records == 11  # those of the UR
    assert [reader.session_id for reader in intake.readers()] == [session_id(2)]
    assert read_identity(tmp_path / "learner" / session_id(2)) == run


@pytest.mark.parametrize("careful", [True, False])
def test_sound_records_behind_damaged_ones_are_delivered_before_a_log_is_deleted(tmp_path, careful, monkeypatch):
    """Of a killed process: everything before the damage is acknowledged, so a count that ends there would be 0."""
    outbox = tmp_path / "actor"
    folder = outbox / session_id(1)
    writer = writer_in(folder, 1, segment_bytes=1 << 16)
    write_episode(writer, 1, 0, 9)
    writer.sync()
    write_episode(writer, 1, 1, 9)
    for seq in (10, 11, 12):
        flip(folder, seq)
    note_acknowledged(folder, 10)
    intake = synced(tmp_path)
    if not careful:
        monkeypatch.setattr("steadyhand.actor.backlog.recover", lambda folder: None)
        monkeypatch.setattr(Segment, "end_of_records", lambda segment, start: start)
    offer(outbox, intake, trim=True)
    assert not folder.exists()
    stored = tmp_path / "learner" / session_id(1)
    found = [one.seq for one in read_log(stored) if one.kind != LOST] if stored.is_dir() else []
    assert found == ([*range(10), *range(13, 20)] if careful else [])
