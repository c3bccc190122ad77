import errno
import os
from dataclasses import replace

import pytest

from steadyhand.transport import segment
from steadyhand.transport.segment import LogError
from tests.transport_kit import CONFIG, SCHEMA, session_id


def made(folder, first_seq=7):
    temporary, part = segment.create(folder, SCHEMA, "arm", session_id(1), first_seq, CONFIG.segment_bytes)
    temporary.replace(part.path)
    return part


def test_the_header_says_everything(tmp_path):
    part = made(tmp_path)
    again = segment.open_segment(part.path)
    assert (again.schema, again.actor_id, again.session_id) == (SCHEMA, "arm", session_id(1))
    assert (again.first_seq, again.capacity, again.record_bytes) == (7, 10, part.record_bytes)
    assert again.known() == (0, False)
    # Preallocated: appending can not run out of disk half way.
    assert os.fstat(part.fd).st_blocks * 512 >= 10 * part.record_bytes


def test_finish_seals_and_gives_back_the_unused_room(tmp_path):
    part = made(tmp_path)
    segment.finish(part, 4)
    again = segment.open_segment(part.path)
    assert again.known() == (4, True)
    assert part.path.stat().st_size == again.offset(4)


def test_a_mark_is_a_lower_bound_and_not_a_seal(tmp_path):
    part = made(tmp_path)
    segment.mark(part, 3)
    assert part.known() == (3, False)


HEADER = [0, 8, 12, 16, 24, 32, 40, 44, 48, 60, 200]


@pytest.mark.parametrize("position", HEADER)
def test_a_damaged_header_is_read_from_its_copy(tmp_path, position, caplog):
    part = made(tmp_path)
    raw = bytearray(part.path.read_bytes())
    raw[position] ^= 255
    part.path.write_bytes(raw)
    again = segment.open_segment(part.path)
    assert replace(again.header, is_copy=False) == part.header
    assert again.header.is_copy == (position != 48)  # that is the mark
    assert ("its copy is used" in caplog.text) == again.header.is_copy


@pytest.mark.parametrize("position", [at for at in HEADER if at != 48])
def test_a_header_whose_copy_is_damaged_too_is_a_log_error(tmp_path, position):
    part = made(tmp_path)
    raw = bytearray(part.path.read_bytes())
    for start in (0, part.header.data_offset // 2):
        raw[start + position] ^= 255
    part.path.write_bytes(raw)
    with pytest.raises(LogError, match=part.path.name):
        segment.open_segment(part.path)


@pytest.mark.parametrize("position", range(48, 60))
@pytest.mark.parametrize("sealed", [True, False])
def test_a_damaged_mark_is_not_believed(tmp_path, position, sealed):
    part = made(tmp_path)
    segment.mark(part, 4, sealed)
    raw = bytearray(part.path.read_bytes())
    raw[position] ^= 1
    part.path.write_bytes(raw)
    assert segment.open_segment(part.path).known() == (0, False)


def test_the_mark_of_another_segment_is_not_believed(tmp_path):
    part, other = made(tmp_path), made(tmp_path, first_seq=17)
    segment.mark(part, 4)
    os.pwrite(other.fd, os.pread(part.fd, 12, 48), 48)
    assert other.known() == (0, False)


@pytest.mark.parametrize("raw", [b"", b"x", b"x" * 5000])
def test_another_file_is_a_log_error(tmp_path, raw):
    path = tmp_path / "00000000000000000000.segment"
    path.write_bytes(raw)
    with pytest.raises(LogError):
        segment.open_segment(path)


def test_a_full_disk_is_an_os_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(fd, offset, length):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", [0, 1, 4, 9, 10])
def test_a_short_write_is_continued(tmp_path, monkeypatch, first):
    real = os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda fd, parts, offset: real(fd, b"".join(parts)[:first], offset))
    monkeypatch.setattr(os, "pwrite", lambda fd, raw, offset: real(fd, raw[:3], offset))
    with (tmp_path / "file").open("wb") as file:
        segment.pwrite_all(file.fileno(), (b"01234", memoryview(b"567"), b"89"), 2)
    assert (tmp_path / "file").read_bytes() == b"\0\0" + b"0123456789"
