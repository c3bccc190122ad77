import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.log import LogError
from steadyhand.transport.log_account import account
from steadyhand.transport.record import Place, lost_record, record_dtype
from tests.integrity.plain_log import flip
from tests.transport_kit import SCHEMA, record, session_id, write_episode, writer_in


def test_a_sound_log_is_whole(tmp_path):
    writer = writer_in(tmp_path)
    for episode in range(3):
        write_episode(writer, 0, episode, 9)
    writer.sync()
    found = account(tmp_path)  # open still
    assert (found.records, found.bad, found.faults, found.is_whole) == (30, (), (), True)
    assert (found.actor_id, found.session_id, found.formats) == ("arm", session_id(0), (2,))


def test_states_are_told_apart_and_ranges_end_with_their_files(tmp_path):
    writer = writer_in(tmp_path)
    for episode in range(4):
        write_episode(writer, 0, episode, 9)
    lost = lost_record(record_dtype(SCHEMA), 40, Place(4, 0))
    writer.append_frame(lost, 40)
    writer.append(record(0, 4, 1, reward=float("inf")))
    writer.skip_to(60)
    writer.append(record(0, 5, 0))
    writer.close()
    for seq in (8, 9, 10):
        flip(tmp_path, seq)
    log_folder.paths(tmp_path)[2][1].unlink()
    found = account(tmp_path)
    assert [(one.state, one.first_seq, one.end_seq, str(one.place)) for one in found.bad] == [
        ("damaged", 8, 10, "episode 0, step 8"),
        ("damaged", 10, 11, "episode 1, step 0"),
        ("missing", 20, 30, "episode 2, step 0"),
        ("lost", 40, 41, "episode 4, step 0"),
        ("unfit", 41, 42, "episode 4, step 1"),
    ]
    assert not found.is_whole
    assert found.count("damaged") == 3
    assert found.episodes == 4


def test_no_log_is_a_log_error(tmp_path):
    with pytest.raises(LogError):
        account(tmp_path)
