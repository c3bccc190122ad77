import os

import numpy as np
import pytest

from steadyhand.learner.replay.feature_file import FeatureFile

DTYPE = np.dtype([("crc", "<u4"), ("side", "<f2", (2, 3))])
ROWS = np.array([0, 1, 5], np.int64)


def slot(value):
    out = np.zeros((), DTYPE)
    out["side"] = [[value, value + 1, value + 2], [-value, 0, 0.5]]
    return out


@pytest.fixture
def file(tmp_path):
    file = FeatureFile(tmp_path / "new" / "session.bin", DTYPE)
    yield file
    file.close()


def test_what_was_written_is_read_by_record_and_view(file):
    for seq in (5, 1):
        file.write(seq, slot(seq))
    np.testing.assert_array_equal(file.has(ROWS), [False, True, True])
    found = file.read("side", np.array([5, 1, 5]), np.array([0, 1, 1]))
    np.testing.assert_array_equal(found, [[5, 6, 7], [-1, 0, 0.5], [-5, 0, 0.5]])
    assert found.dtype == np.float16
    assert [file.claims(seq) for seq in (0, 1, 5, 6)] == [False, True, True, False]


def test_what_comes_later_is_seen(file):
    assert not file.has(np.array([2000])).any()
    file.write(2000, slot(3))
    assert file.has(np.array([2000])).all()
    assert not file.has(np.array([1999, 2001])).any()


def test_a_slot_that_was_cut_short_or_stands_elsewhere_is_missing(file, tmp_path):
    path = tmp_path / "new" / "session.bin"
    for seq in range(3):
        file.write(seq, slot(seq + 1))
    raw = bytearray(path.read_bytes())
    raw[DTYPE.itemsize + 8] ^= 1
    raw[2 * DTYPE.itemsize :] = raw[: DTYPE.itemsize]
    path.write_bytes(raw)
    again = FeatureFile(path, DTYPE)
    np.testing.assert_array_equal(again.has(np.arange(3)), [True, False, False])
    again.write(1, slot(2))
    np.testing.assert_array_equal(again.has(np.arange(3)), [True, True, False])
    again.close()


def test_the_end_of_a_file_that_was_cut_is_missing(file, tmp_path):
    file.write(0, slot(1))
    file.write(1, slot(2))
    os.truncate(tmp_path / "new" / "session.bin", 2 * DTYPE.itemsize - 3)
    np.testing.assert_array_equal(file.has(np.arange(2)), [True, False])
