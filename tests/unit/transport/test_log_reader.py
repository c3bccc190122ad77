import os
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.transport import log_folder, segment
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import Kind, valid_starts
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
    log_folder.paths(tmp_path)[1][1].unlink()
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
    log_folder.paths(tmp_path)[0][1].unlink()
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


def patch(folder, index: int, at: int, raw: bytes) -> bytes:
    """Overwrite bytes of a record of the newest segment; return what was there."""
    part = segment.open_segment(log_folder.paths(folder)[-1][1], writable=True)
    place = part.offset(index) + at
    before = os.pread(part.fd, len(raw), place)
    os.pwrite(part.fd, raw, place)
    os.close(part.fd)
    return before


def test_refresh_stops_at_a_last_record_that_is_not_whole(tmp_path):
    writer = filled(tmp_path, 2)
    reader = LogReader(tmp_path)
    for step in range(2, 4):
        writer.append(record(step=step))
    good = patch(tmp_path, 3, 50, b"torn")
    assert reader.refresh() == 3
    patch(tmp_path, 3, 50, good)
    assert reader.refresh() == 4
    assert reader.damaged.tolist() == []


@pytest.mark.parametrize("at", [0, 50, -4], ids=["number", "observation", "checksum"])
def test_a_damaged_record_before_a_whole_one_keeps_its_row_and_is_not_valid(tmp_path, at):
    writer = filled(tmp_path, 2)
    reader = LogReader(tmp_path)
    for step in range(2, 5):
        writer.append(record(0, 1, step))
    good = patch(tmp_path, 3, at % reader.dtype.itemsize, b"\xff\xfe")
    assert reader.refresh() == 5
    assert reader.damaged.tolist() == [3]
    for rows in (reader.read(0, 5), {name: reader.gather(range(5), name) for name in reader.dtype.names}):
        assert rows["seq"].tolist() == list(range(5))
        assert rows["kind"].tolist() == [0, 0, 0, Kind.LOST, 0]
        assert rows["valid"].tolist() == [True, True, True, False, True]
        assert (rows["episode_id"][3], rows["step_index"][3]) == (1, 3)
        assert np.flatnonzero(valid_starts(rows)).tolist() == [0]
    patch(tmp_path, 3, at % reader.dtype.itemsize, good)  # repaired
    assert reader.verify([3]).tolist() == [False]
    assert reader.verify([3], again=True).tolist() == [True]
    assert reader.gather([3], "kind").tolist() == [Kind.STEP]


def test_without_a_checksum_damaged_bytes_would_be_read(tmp_path, monkeypatch):
    writer = filled(tmp_path, 2)
    monkeypatch.setattr("steadyhand.transport.record.is_sound", lambda raw: True)
    for step in range(2, 5):
        writer.append(record(0, 1, step))
    patch(tmp_path, 3, 60, b"\xff\xfe")
    reader = LogReader(tmp_path)
    assert (len(reader), reader.damaged.tolist()) == (5, [])


def test_damage_in_a_sealed_segment_is_found_when_it_is_asked_for(tmp_path):
    filled(tmp_path, 25).close()
    part = segment.open_segment(log_folder.paths(tmp_path)[1][1], writable=True)
    os.pwrite(part.fd, b"\x55", part.offset(3) + 30)
    os.close(part.fd)
    reader = LogReader(tmp_path)
    assert reader.gather([13], "kind").tolist() == [Kind.STEP]  # believed: opening reads no checksum
    assert np.flatnonzero(~reader.verify(np.arange(25))).tolist() == [13]
    assert reader.damaged.tolist() == [13]
    assert reader.gather([12, 13], "kind").tolist() == [Kind.STEP, Kind.LOST]
    assert reader.rows_of([3, 9, 15, 99]).tolist() == [3, 9, 15]


def test_many_damaged_records_in_a_row_have_their_places(tmp_path):
    filled(tmp_path, 25).close()
    part = segment.open_segment(log_folder.paths(tmp_path)[1][1], writable=True)
    os.pwrite(part.fd, bytes(10 * part.record_bytes), part.offset(0))
    os.close(part.fd)
    reader = LogReader(tmp_path)
    reader.verify(np.arange(25))
    assert reader.gather(range(10, 20), "step_index").tolist() == list(range(10, 20))
    assert reader.gather(range(10, 20), "seq").tolist() == list(range(10, 20))


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

    def scan(self, start, settled=0):
        starts.append((self.first_seq, start))
        return real(self, start, settled)

    monkeypatch.setattr(Segment, "scan", scan)
    assert len(LogReader(tmp_path)) == 98
    assert starts == [(90, 8)]


@pytest.mark.parametrize("lost_bytes", [1, 400, 10_000])
def test_a_sealed_segment_cut_short_loses_its_end_and_nothing_else(tmp_path, lost_bytes):
    filled(tmp_path, 25).close()
    path = log_folder.paths(tmp_path)[0][1]
    size = path.stat().st_size
    os.truncate(path, max(size - lost_bytes, size - 10 * filled(tmp_path / "x", 0).dtype.itemsize))
    reader = LogReader(tmp_path)
    left = 10 - min(10, -(-lost_bytes // reader.dtype.itemsize))
    assert reader.gather(np.arange(len(reader)), "seq").tolist() == [*range(left), *range(10, 25)]


def test_mapped_segments_keep_no_file_open(tmp_path):
    filled(tmp_path, 400).close()
    before = len(os.listdir("/proc/self/fd"))
    reader = LogReader(tmp_path)
    assert len(reader._parts) == 40
    assert len(os.listdir("/proc/self/fd")) == before
    assert reader.gather([0, 399], "step_index").tolist() == [0, 399]


def test_closing_leaves_no_file_open(tmp_path):
    filled(tmp_path, 25).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        reader = LogReader(tmp_path)
        reader.gather(np.arange(25), "seq")
        reader.close()
        del reader
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_records_behind_several_damaged_ones_are_seen_too(tmp_path):
    writer = filled(tmp_path, 2)
    for step in range(2, 9):
        writer.append(record(step=step))
    for index in (4, 5, 6):
        patch(tmp_path, index, 60, b"\xff\xfe")
    reader = LogReader(tmp_path)
    assert (len(reader), reader.damaged.tolist()) == (9, [4, 5, 6])
    assert reader.refresh() == 9


def test_a_refused_read_between_two_files_leaves_rows_and_numbers_in_step(tmp_path, monkeypatch):
    """Otherwise the sender takes the records that it has not indexed for a hole, and skips them for good."""
    writer = writer_in(tmp_path)
    writer.append(record(step=0))
    reader = LogReader(tmp_path)
    for step in range(1, 12):
        writer.append(record(step=step))

    def refuse(self, seq):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(LogReader, "_open_newer", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            reader.refresh()
        assert len(reader) == reader.next_seq == 10
    assert reader.refresh() == reader.next_seq == 12
