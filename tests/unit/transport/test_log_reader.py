import os
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.transport import segment
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.segment import Segment
from tests.transport_kit import CONFIG, SCHEMA, WRIST, code, record, session_id, writer_in


def filled(folder, count: int, **options) -> LogWriter:
    writer = writer_in(folder, **options)
    for step in range(count):
        writer.append(record(0, step // 7, step))
    writer.sync()
    return writer


def test_the_reader_says_whose_log_it_is(tmp_path):
    filled(tmp_path, 1)
    reader = LogReader(tmp_path)
    assert (reader.schema, reader.actor_id, reader.session_id) == (SCHEMA, "arm", session_id(0))
    assert (reader.first_seq, reader.next_seq, len(reader)) == (0, 1, 1)


def test_no_log_is_a_log_error(tmp_path):
    with pytest.raises(LogError, match="no segment"):
        LogReader(tmp_path)


@pytest.mark.parametrize("rows", [[], [3], [0, 34, 17, 17, 9, 10], list(range(35)), [21, 22]])
def test_gather_in_any_order_over_segments(tmp_path, rows):
    filled(tmp_path, 35)
    reader = LogReader(tmp_path)
    assert reader.gather(rows, "step_index").tolist() == rows
    for name, part in (("state", 0), ("wrist", 1)):
        found = reader.gather(rows, f"observation/{name}")
        assert found.shape == (len(rows), *SCHEMA.observation[part].shape)
        for row, value in zip(rows, found, strict=True):
            np.testing.assert_array_equal(value, code(0, row // 7, row)[part])


def test_wide_fields_are_gathered_over_segments(tmp_path):
    schema = replace(SCHEMA, observation=(SCHEMA.observation[0], replace(WRIST, shape=(32, 32, 3))))
    writer = LogWriter(tmp_path, schema, "arm", session_id(0), CONFIG.segment_bytes)
    for step in range(9):
        row = np.zeros((), writer.dtype)
        row["observation/wrist"] = step
        writer.append(row)
    writer.sync()
    found = LogReader(tmp_path).gather([8, 0, 5, 5], "observation/wrist")
    assert found.shape == (4, 32, 32, 3)
    assert found[:, 3, 4, 1].tolist() == [8, 0, 5, 5]


def test_gathered_arrays_are_copies_and_the_mapping_is_read_only(tmp_path):
    filled(tmp_path, 5)
    reader = LogReader(tmp_path)
    reader.gather([1], "observation/state")[:] = 0
    assert reader.gather([1], "observation/state")[0].tolist() == [0, 0, 1]
    assert not reader.read(0, 5).flags.writeable


@pytest.mark.parametrize("rows", [[5], [-1], [0, 99]])
def test_a_row_that_does_not_exist_is_an_index_error(tmp_path, rows):
    filled(tmp_path, 5)
    with pytest.raises(IndexError, match="0 to 4"):
        LogReader(tmp_path).gather(rows, "seq")


def test_a_field_that_does_not_exist_is_named(tmp_path):
    filled(tmp_path, 1)
    with pytest.raises(LogError, match="observation/wrist"):
        LogReader(tmp_path).gather([0], "observation/front")


def test_read_and_frame_cross_segments(tmp_path):
    filled(tmp_path, 25)
    reader = LogReader(tmp_path)
    assert reader.read(8, 22)["seq"].tolist() == list(range(8, 22))
    assert reader.frame(8, 22) == reader.frame(8, 10) + reader.frame(10, 22)
    assert reader.frame(3, 3) == b""
    with pytest.raises(IndexError):
        reader.frame(0, 26)


def test_a_deleted_segment_leaves_a_gap_in_seq_only(tmp_path):
    filled(tmp_path, 35).close()
    segment.paths(tmp_path)[1][1].unlink()
    reader = LogReader(tmp_path)
    expected = [*range(10), *range(20, 35)]
    assert reader.gather(np.arange(25), "seq").tolist() == expected
    assert [reader.seq_at(row) for row in range(25)] == expected
    assert reader.locate(5) == (5, 10)
    assert reader.locate(13) == (10, 20)
    assert reader.locate(35) == (25, 25)


def test_rows_do_not_move_when_a_segment_is_deleted_meanwhile(tmp_path):
    writer = filled(tmp_path, 25)
    reader = LogReader(tmp_path)
    segment.paths(tmp_path)[0][1].unlink()
    writer.append(record(step=25))
    assert reader.refresh() == 26
    assert reader.gather([0, 25], "step_index").tolist() == [0, 25]


def test_forget_frees_the_files_of_the_front(tmp_path):
    filled(tmp_path, 25)
    reader = LogReader(tmp_path)
    reader.forget(19)
    assert (reader.first_seq, len(reader)) == (10, 15)
    reader.forget(25)
    assert (reader.first_seq, reader.next_seq) == (20, 25)


def test_refresh_stops_at_a_record_that_is_not_whole(tmp_path):
    writer = filled(tmp_path, 2)
    reader = LogReader(tmp_path)
    for step in range(2, 5):
        writer.append(record(step=step))
    part = segment.open_segment(segment.paths(tmp_path)[-1][1], writable=True)
    good = os.pread(part.fd, 4, part.offset(3) + 50)
    os.pwrite(part.fd, bytes(4), part.offset(3))  # its number
    os.pwrite(part.fd, b"torn", part.offset(3) + 50)
    assert reader.refresh() == 3
    os.pwrite(part.fd, (3).to_bytes(4, "little"), part.offset(3))
    os.pwrite(part.fd, good, part.offset(3) + 50)
    assert reader.refresh() == 5


def test_a_reader_follows_a_log_that_is_closed_and_resumed(tmp_path):
    writer = filled(tmp_path, 0)
    reader = LogReader(tmp_path)
    assert reader.refresh() == 0
    writer.close()
    assert reader.refresh() == 0
    for total in (3, 13):
        writer = writer_in(tmp_path)
        while writer.next_seq < total:
            writer.append(record(step=writer.next_seq))
        assert reader.refresh() == reader.refresh() == total
        writer.close()
        assert reader.refresh() == total
    assert reader.gather(np.arange(13), "step_index").tolist() == list(range(13))


def test_only_segments_without_a_seal_are_scanned_and_only_past_the_mark(tmp_path, monkeypatch):
    filled(tmp_path, 98)  # synced: the mark of the last segment says 8
    starts = []
    real = Segment.scan

    def scan(self, start):
        starts.append((self.first_seq, start))
        return real(self, start)

    monkeypatch.setattr(Segment, "scan", scan)
    assert len(LogReader(tmp_path)) == 98
    assert starts == [(90, 8)]


def test_a_sealed_segment_cut_short_is_a_log_error_and_not_a_crash(tmp_path):
    filled(tmp_path, 12).close()
    path = segment.paths(tmp_path)[0][1]
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(LogError, match=path.name):
        LogReader(tmp_path)


def test_closing_leaves_no_file_open(tmp_path):
    filled(tmp_path, 25).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        reader = LogReader(tmp_path)
        reader.gather(np.arange(25), "seq")
        reader.close()
        del reader
    assert len(os.listdir("/proc/self/fd")) <= before
