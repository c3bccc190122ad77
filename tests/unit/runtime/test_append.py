import os

import pytest

from steadyhand.runtime import append
from steadyhand.runtime.append import append_whole


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"first\n")
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    yield path, descriptor
    os.close(descriptor)


def test_lines_follow_each_other(file):
    path, descriptor = file
    append_whole(descriptor, b"second\n")
    append_whole(descriptor, b"third\n", sync=True)
    assert path.read_bytes() == b"first\nsecond\nthird\n"


def test_a_disk_that_takes_only_a_part_takes_nothing(file, monkeypatch):
    path, descriptor = file
    write = os.write
    monkeypatch.setattr(append.os, "write", lambda where, line: write(where, line[:3]))
    with pytest.raises(OSError, match="space"):
        append_whole(descriptor, b"second\n")
    assert path.read_bytes() == b"first\n"


def test_what_could_not_be_synced_is_taken_back(file, monkeypatch):
    path, descriptor = file

    def refuse(where):
        raise OSError("refused")

    monkeypatch.setattr(append.os, "fsync", refuse)
    with pytest.raises(OSError, match="refused"):
        append_whole(descriptor, b"second\n", sync=True)
    assert path.read_bytes() == b"first\n"
