"""Old logs must open: the logs in `tests/data` were written by the first version and are never made anew."""

from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport import log_folder, segment
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import Kind, valid_starts
from tests.transport_kit import SCHEMA, code, record, session_id

OLD = Path(__file__).parents[2] / "data" / "log_format_1"
OPEN = OLD.with_name("log_format_1_open")


def test_the_first_format_is_read_with_every_value():
    reader = LogReader(OLD)
    assert (reader.actor_id, reader.session_id, len(reader)) == ("arm", session_id(1), 12)
    assert reader.schema.diff(SCHEMA) == []
    rows = reader.read(0, 12)
    assert rows["seq"].tolist() == list(range(12))
    assert rows["episode_id"].tolist() == [0] * 7 + [1] * 5
    assert np.flatnonzero(rows["kind"] == Kind.FINAL).tolist() == [6, 11]
    assert np.flatnonzero(rows["terminated"]).tolist() == [5]
    assert np.flatnonzero(rows["truncated"]).tolist() == [10]
    assert np.flatnonzero(valid_starts(rows)).tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]
    for row in rows:
        state, frame = code(1, int(row["episode_id"]), int(row["step_index"]))
        np.testing.assert_array_equal(row["observation/state"], state)
        np.testing.assert_array_equal(row["observation/wrist"], frame)
    reader.close()


def test_the_first_format_can_be_continued(tmp_path):
    for path in OLD.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    writer = LogWriter(tmp_path, SCHEMA, "arm", session_id(1), 1 << 16)
    assert writer.next_seq == 12
    writer.close()


def test_a_log_of_the_first_format_that_was_never_closed_is_read_and_continued(tmp_path):
    for path in OPEN.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    reader = LogReader(tmp_path)
    assert reader.gather(range(len(reader)), "step_index").tolist() == [*range(7), *range(5), *range(3)]
    assert reader.damaged.tolist() == []
    writer = LogWriter(tmp_path, SCHEMA, "arm", session_id(1), 1 << 16)
    assert writer.append(record(1, 2, 3)) == 15
    writer.close()
    versions = [segment.open_segment(path).header.version for _, path in log_folder.paths(tmp_path)]
    assert versions == [1, 1, 2]
    again = LogReader(tmp_path)
    assert again.gather(range(16), "seq").tolist() == list(range(16))
    assert again.verify(range(16)).all()


@pytest.mark.parametrize("bit", range(64))
def test_the_mark_of_the_first_format_is_believed_only_where_the_length_agrees(tmp_path, bit):
    for path in OLD.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = log_folder.paths(tmp_path)[0][1]
    raw = bytearray(path.read_bytes())
    raw[40 + bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)
    reader = LogReader(tmp_path)
    assert reader.gather(range(len(reader)), "seq").tolist() == list(range(12))


def test_a_later_format_is_refused_by_a_line_that_says_so(tmp_path):
    path = tmp_path / log_folder.paths(OLD)[0][1].name
    raw = bytearray(log_folder.paths(OLD)[0][1].read_bytes())
    raw[8] += 2  # the version
    path.write_bytes(raw)
    with pytest.raises(LogError, match="expected log format 1 or 2, found 3"):
        LogReader(tmp_path)
