from contextlib import closing

import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.log import LogError
from steadyhand.transport.quarantine import Quarantine
from steadyhand.transport.stored_sessions import StoredSessions
from tests.transport_kit import CONFIG, hello, log_of, record, session_id


def stored_in(folder) -> StoredSessions:
    return StoredSessions(folder, CONFIG.segment_bytes, Quarantine(folder, FakeClock()))


def test_the_logs_of_earlier_starts_have_readers_and_other_folders_have_none(tmp_path):
    log_of(tmp_path / session_id(1), 1)
    (tmp_path / session_id(2)).mkdir()
    (tmp_path / "notes").mkdir()
    with closing(stored_in(tmp_path)) as stored:
        assert {name: reader.next_seq for name, reader in stored.readers.items()} == {session_id(1): 30}
        assert stored.durable == {}


def test_a_log_is_opened_where_it_ended_and_what_it_has_is_durable(tmp_path):
    log_of(tmp_path / session_id(1), 1)
    with closing(stored_in(tmp_path)) as stored:
        reader = stored.readers[session_id(1)]
        with closing(stored.open(hello(1))) as writer:
            assert writer.next_seq == stored.durable[session_id(1)] == 30
            assert stored.readers[session_id(1)] is reader
        with closing(stored.open(hello(2))) as writer:
            writer.append(record(2))
            assert list(stored.readers) == [session_id(1), session_id(2)]
            assert stored.durable[session_id(2)] == 0


def test_a_link_in_the_place_of_a_log_is_refused(tmp_path):
    elsewhere = log_of(tmp_path / "elsewhere")
    folder = tmp_path / "learner"
    folder.mkdir()
    (folder / session_id(0)).symlink_to(elsewhere)
    with pytest.raises(LogError, match="found a symbolic link"):
        stored_in(folder)
