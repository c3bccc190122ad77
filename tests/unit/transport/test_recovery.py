import os

import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.recovery import number_text, recover
from tests.integrity.plain_log import flip, read_log
from tests.transport_kit import record, writer_in


def log_of(folder, count: int, close: bool = True, **options):
    writer = writer_in(folder, **options)
    for step in range(count):
        writer.append(record(step=step))
    writer.sync()
    if close:
        writer.close()
    return folder


@pytest.mark.parametrize("close", [True, False])
def test_a_sound_log_stays_as_it_is(tmp_path, close):
    log_of(tmp_path, 25, close)
    written = [one.raw for one in read_log(tmp_path)]
    found = recover(tmp_path)
    assert [(first, end) for first, end, _ in found.segments][:3] == [(0, 10), (10, 20), (20, 25)]
    assert found.damaged == []
    assert [one.raw for one in read_log(tmp_path)] == written
    assert log_folder.is_finished(tmp_path)


def test_an_objection_changes_nothing(tmp_path):
    log_of(tmp_path, 5, close=False)

    def object_(found):
        raise LogError("another log")

    with pytest.raises(LogError, match="another log"):
        recover(tmp_path, object_)
    assert not log_folder.is_finished(tmp_path)


def test_missing_records_get_places_only_where_they_are_wanted(tmp_path):
    log_of(tmp_path, 45)
    for index in (0, 2):
        log_folder.paths(tmp_path)[index][1].unlink()
    assert recover(tmp_path).damaged == []
    assert len(LogReader(tmp_path)) == 25
    files = len(log_folder.paths(tmp_path))
    assert recover(tmp_path, fill_from=10).damaged == list(range(30, 40))
    assert len(log_folder.paths(tmp_path)) == files + 1
    reader = LogReader(tmp_path)
    assert reader.gather(range(len(reader)), "seq").tolist()[-15:] != []
    assert len(reader) == 35


def test_numbers_that_were_left_out_on_purpose_are_not_missing(tmp_path):
    writer = writer_in(tmp_path)
    writer.append(record())
    writer.skip_to(1_000_000)
    writer.append(record())
    writer.close()
    assert recover(tmp_path, fill_from=0).damaged == []
    assert len(LogReader(tmp_path)) == 2


def test_a_segment_cut_short_gets_its_places_back(tmp_path):
    log_of(tmp_path, 25)
    path = log_folder.paths(tmp_path)[1][1]
    size = path.stat().st_size
    os.truncate(path, size - 1)
    assert recover(tmp_path, fill_from=0).damaged == [19]
    assert path.stat().st_size == size
    assert len(LogReader(tmp_path)) == 25


def test_a_file_that_cannot_be_read_is_set_aside_where_places_are_wanted(tmp_path):
    log_of(tmp_path, 25)
    path = log_folder.paths(tmp_path)[1][1]
    path.write_bytes(bytes(9000))
    with pytest.raises(LogError):
        recover(tmp_path)
    assert recover(tmp_path, fill_from=0).damaged == list(range(10, 20))
    assert path.with_suffix(".damaged").read_bytes() == bytes(9000)


def test_damage_after_the_last_sync_is_named(tmp_path, caplog):
    log_of(tmp_path, 0, close=False, segment_bytes=1 << 16)
    writer = writer_in(tmp_path, segment_bytes=1 << 16)
    for step in range(30):
        writer.append(record(step=step))
    for seq in (4, 5, 9):
        flip(tmp_path, seq)
    assert recover(tmp_path).damaged == [4, 5, 9]
    assert "seq 4 to 5, 9 are damaged or missing" in caplog.text


def test_numbers_are_shown_as_ranges():
    assert number_text([3]) == "3"
    assert number_text([3, 4, 5, 9, 11, 12]) == "3 to 5, 9, 11 to 12"
    assert number_text(range(0, 40, 2)).endswith("14 and 12 more ranges")
