"""Old logs must open: `tests/data/log_format_1` was written by the first version and is never made anew."""

from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport import segment
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import Kind, valid_starts
from tests.transport_kit import SCHEMA, code, session_id

OLD = Path(__file__).parents[2] / "data" / "log_format_1"


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


def test_a_later_format_is_refused_by_a_line_that_says_so(tmp_path):
    path = tmp_path / segment.paths(OLD)[0][1].name
    raw = bytearray(segment.paths(OLD)[0][1].read_bytes())
    raw[8] += 1  # the version
    path.write_bytes(raw)
    with pytest.raises(LogError, match="expected log format 1, found 2"):
        LogReader(tmp_path)
