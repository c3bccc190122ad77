import os

import pytest

from steadyhand.transport import segment_header
from steadyhand.transport.segment_header import (
    HeaderError,
    copy_is_sound,
    encode_facts,
    encode_header,
    encode_mark,
    new_header,
    read_header,
    read_mark,
)
from tests.transport_kit import SCHEMA, session_id


@pytest.fixture
def made(tmp_path):
    header, raw = new_header(SCHEMA, "arm", session_id(1), 7, 3, 1 << 16)
    path = tmp_path / "file"
    path.write_bytes(encode_header(header, raw, 5, sealed=False) + bytes(100))
    fd = os.open(path, os.O_RDWR)
    yield header, fd
    os.close(fd)


def test_a_header_is_read_as_it_was_written(made):
    header, fd = made
    assert read_header(fd) == header
    assert (header.first_seq, header.follows, header.schema) == (7, 3, SCHEMA)
    assert header.data_offset % segment_header.PAGE == 0
    assert encode_facts(header)[0] == header
    assert read_mark(fd, header) == (5, False)
    assert copy_is_sound(fd, header)


@pytest.mark.parametrize(("count", "sealed"), [(0, False), (0, True), (9, False), (9, True)])
def test_a_mark_is_read_as_it_was_written(made, count, sealed):
    header, fd = made
    os.pwrite(fd, encode_mark(header, count, sealed), header.place)
    assert read_mark(fd, header) == (count, sealed)


def test_more_records_than_there_is_room_for_are_not_believed(made):
    header, fd = made
    os.pwrite(fd, encode_mark(header, header.capacity + 1, sealed=True), header.place)
    assert read_mark(fd, header) is None


def test_every_bit_of_the_header_is_under_a_checksum(made):
    """Of each flipped bit: the copy is used, or the mark is not believed. Bits behind the JSON are no part of it."""
    header, fd = made
    raw = os.pread(fd, header.data_offset // 2, 0)
    for place in range(len(raw.rstrip(b"\0"))):
        for bit in range(8):
            os.pwrite(fd, bytes([raw[place] ^ 1 << bit]), place)
            found = read_header(fd)
            assert found.is_copy or read_mark(fd, found) is None, (place, bit)
            assert (found.first_seq, found.capacity, found.schema) == (7, header.capacity, SCHEMA)
        os.pwrite(fd, raw[place : place + 1], place)


def test_without_a_copy_or_with_two_damaged_headers_there_is_none(made):
    header, fd = made
    os.pwrite(fd, b"\xff", header.data_offset // 2 + 20)
    assert not copy_is_sound(fd, header)
    os.pwrite(fd, b"\xff", 20)
    with pytest.raises(HeaderError, match="checksum"):
        read_header(fd)


def test_no_more_is_read_than_there_is_whatever_damaged_numbers_say(made, monkeypatch):
    header, fd = made
    for start in (0, header.data_offset // 2):
        for place in (12, 40):  # of data_offset and of the length of the JSON
            os.pwrite(fd, b"\xff" * 4, start + place)
    asked, read = [], os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, start: asked.append(size) or read(fd, size, start))
    with pytest.raises(HeaderError, match="checksum"):
        read_header(fd)
    assert max(asked) <= os.fstat(fd).st_size


def test_another_file_is_no_header(tmp_path):
    (tmp_path / "file").write_bytes(b"junk" * 5000)
    with (tmp_path / "file").open("rb") as file, pytest.raises(HeaderError, match="another kind of file"):
        read_header(file.fileno())
