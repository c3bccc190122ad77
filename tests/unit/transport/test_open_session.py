import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.open_session import OpenSession
from steadyhand.transport.quarantine import Quarantine
from steadyhand.transport.wire import Lost, WireError
from tests.integrity.plain_log import LOST, flip, read_log
from tests.transport_kit import SCHEMA, frames, hello, session_id, writer_in

COUNT = 12


@pytest.fixture
def sent(tmp_path) -> bytes:
    return frames(tmp_path / "actor", COUNT)


@pytest.fixture
def session(tmp_path):
    quarantine = Quarantine(tmp_path, FakeClock())
    quarantine.watch(session_id(0), SCHEMA)
    session = OpenSession(hello(), writer_in(tmp_path / session_id(0)), ReceiverState(), quarantine, 0)
    session.quarantine = quarantine
    yield session
    session.writer.close()


def part(sent: bytes, first: int, end: int) -> bytes:
    size = len(sent) // COUNT
    return sent[first * size : end * size]


def test_only_the_next_records_are_new(session, sent):
    assert session.take(0, 5, part(sent, 0, 5)).next_seq == 5
    gap, again, tail = (session.take(first, 5, part(sent, first, first + 5)) for first in (7, 0, 3))
    assert [len(taken.news) for taken in (gap, again, tail)] == [0, 0, 3]
    assert (tail.news, tail.next_seq, tail.mended, tail.banned) == (range(5, 8), 8, [], False)


def test_records_that_are_sent_again_repair_damaged_ones_and_no_others(session, sent, tmp_path):
    folder = tmp_path / session_id(0)
    session.take(0, COUNT, sent)
    for seq in (2, 3):
        flip(folder, seq)
    assert session.take(2, 2, part(sent, 2, 4)).mended == []  # not known to be damaged
    session.quarantine.report(session_id(0), [2, 3])
    assert session.take(0, 3, part(sent, 0, 3)).mended == [2]
    with pytest.raises(WireError, match="checksum"):
        session.take(3, 1, bytes(len(sent) // COUNT))
    assert session.take_lost(Lost(3, 1, 0, 3), 1 << 16).mended == [3]
    stored = read_log(folder)
    assert [one.seq for one in stored if one.kind == LOST] == [3]
    assert b"".join(one.raw for one in stored[:3]) == part(sent, 0, 3)


def test_a_frame_that_is_not_what_the_header_says_is_refused(session, sent):
    for count, frame in ((2, sent), (COUNT, sent[:-1]), (COUNT, bytes(len(sent)))):
        with pytest.raises(WireError):
            session.take(0, count, frame)
    assert session.take(0, COUNT, sent).next_seq == COUNT
