import errno
import os
import resource
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.transport import log_folder, segment
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import RecordError, is_sound
from tests.transport_kit import SCHEMA, WRIST, record, wait_until, write_episode, writer_in

PER_SEGMENT = 10


def fill(writer: LogWriter, count: int) -> None:
    for _ in range(count):
        writer.append(record(step=writer.next_seq))


def steps_in(folder) -> list[int]:
    reader = LogReader(folder)
    return reader.gather(np.arange(len(reader)), "step_index").tolist()


def seal_all(writer: LogWriter) -> None:
    writer.sync()  # runs after the background's sealing


def test_records_are_numbered_and_sealed_and_the_caller_s_is_untouched(tmp_path):
    writer = writer_in(tmp_path)
    row = record(step=3, seq=99)
    assert [writer.append(row), writer.append(row)] == [0, 1]
    assert row["seq"] == 99
    stored = LogReader(tmp_path).read(0, 2)
    assert stored["seq"].tolist() == [0, 1]
    assert all(is_sound(stored[index : index + 1].view(np.uint8).data) for index in (0, 1))
    np.testing.assert_array_equal(stored["observation/wrist"][1], row["observation/wrist"])


def test_an_append_is_seen_before_any_sync(tmp_path):
    writer = writer_in(tmp_path)
    reader = LogReader(tmp_path)
    for count in range(1, 35):
        fill(writer, 1)
        assert reader.refresh() == count


def test_another_layout_is_refused(tmp_path):
    writer = writer_in(tmp_path)
    with pytest.raises(RecordError, match="layout"):
        writer.append(np.zeros((), [("seq", "<i8")]))


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("clean", [True, False])
def test_a_resumed_log_goes_on_where_it_was(tmp_path, count, clean):
    writer = writer_in(tmp_path)
    fill(writer, count)
    if clean:
        writer.close()
    else:
        seal_all(writer)  # then forget about it, as a kill does
    again = writer_in(tmp_path)
    assert again.next_seq == count
    fill(again, 3)
    assert steps_in(tmp_path) == list(range(count + 3))
    again.close()
    assert steps_in(tmp_path) == list(range(count + 3))
    assert list(tmp_path.glob(f"*{segment.PREPARED}")) == []


def test_a_torn_last_record_is_left_out_and_written_over(tmp_path):
    writer = writer_in(tmp_path)
    fill(writer, 4)
    path = log_folder.paths(tmp_path)[-1][1]
    part = segment.open_segment(path, writable=True)
    os.pwrite(part.fd, b"torn", part.offset(3) + 100)
    again = writer_in(tmp_path)
    assert again.next_seq == 3
    fill(again, 1)
    assert steps_in(tmp_path) == [0, 1, 2, 3]


def flip(folder, index: int, at: int = 60) -> None:
    """Flip a bit of a record of the newest segment."""
    part = segment.open_segment(log_folder.paths(folder)[-1][1], writable=True)
    place = part.offset(index) + at
    os.pwrite(part.fd, bytes([os.pread(part.fd, 1, place)[0] ^ 4]), place)
    os.close(part.fd)


@pytest.mark.parametrize("bad", [[2], [2, 3, 4], [0], [2, 7]])
def test_recovery_after_a_crash_keeps_every_sound_record(tmp_path, bad, caplog):
    writer = writer_in(tmp_path)
    fill(writer, 30)  # killed; nothing was synced since record 20
    seal_all(writer)
    fill(writer, 9)
    for index in bad:
        flip(tmp_path, index)
    again = writer_in(tmp_path)
    assert again.next_seq == 39
    again.close()
    reader = LogReader(tmp_path)
    assert np.flatnonzero(~reader.verify(np.arange(39))).tolist() == [30 + index for index in bad]
    sound = np.setdiff1d(np.arange(39), reader.damaged)
    assert reader.gather(sound, "step_index").tolist() == sound.tolist()
    assert "are damaged or missing; all others are kept" in caplog.text


def test_recovery_that_stops_at_the_first_damaged_record_would_lose_those_behind_it(tmp_path, monkeypatch):
    writer = writer_in(tmp_path)
    fill(writer, 9)
    flip(tmp_path, 2)
    monkeypatch.setattr(segment.Segment, "_is_passed", lambda self, index: False)
    monkeypatch.setattr(segment.Segment, "end_of_records", lambda self, start: self.scan(start)[0])
    assert writer_in(tmp_path).next_seq == 2


def test_a_damaged_mark_costs_no_record(tmp_path):
    writer = writer_in(tmp_path)
    fill(writer, 25)
    writer.close()
    for _, path in log_folder.paths(tmp_path):
        raw = bytearray(path.read_bytes())
        raw[48] ^= 8  # of the mark: another number of records
        path.write_bytes(raw)
    assert steps_in(tmp_path) == list(range(25))
    again = writer_in(tmp_path)
    assert again.next_seq == 25
    again.close()
    assert [segment.open_segment(path).known()[1] for _, path in log_folder.paths(tmp_path)] == [True] * 4


def test_killed_processes_lose_nothing(tmp_path):
    code = f"""
import os, sys
sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
from tests.transport_kit import record, writer_in
writer = writer_in(Path({str(tmp_path)!r}))
for _ in range(13):
    writer.append(record(step=writer.next_seq))
os._exit(137)
"""
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 137
    assert steps_in(tmp_path) == list(range(26))


@pytest.mark.parametrize(
    "other",
    [
        {"schema": replace(SCHEMA, command_size=4)},
        {"schema": replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front")))},
        {"actor_id": "leg"},
        {"number": 1},
    ],
)
def test_another_log_is_not_continued(tmp_path, other):
    writer_in(tmp_path).close()
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(LogError, match="new folder"):
        writer_in(tmp_path, **other)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def frames(folder, count: int) -> bytes:
    writer = writer_in(folder)
    fill(writer, count)
    writer.close()
    return LogReader(folder).frame(0, count)


def test_a_frame_of_sealed_records_is_stored_as_it_is(tmp_path):
    sent = frames(tmp_path / "actor", 25)
    writer = writer_in(tmp_path / "learner")
    size = writer.dtype.itemsize
    assert writer.append_frame(sent[: 4 * size], 0) == 4
    assert writer.append_frame(memoryview(sent)[4 * size :], 4) == 25
    writer.close()
    assert LogReader(tmp_path / "learner").frame(0, 25) == sent


@pytest.mark.parametrize("harm", ["gap", "again", "size", "bit", "order"])
def test_a_frame_that_does_not_continue_the_log_is_refused_whole(tmp_path, harm):
    sent = frames(tmp_path / "actor", 6)
    writer = writer_in(tmp_path / "learner")
    size = writer.dtype.itemsize
    writer.append_frame(sent[: 2 * size], 0)
    frame, first_seq = {
        "gap": (sent[3 * size :], 3),
        "again": (sent[: 2 * size], 0),
        "size": (sent[2 * size : -1], 2),
        "bit": (sent[2 * size : 5 * size] + bytes([sent[5 * size] ^ 1]) + sent[5 * size + 1 :], 2),
        "order": (sent[3 * size :], 2),
    }[harm]
    with pytest.raises(RecordError, match="from seq 2"):
        writer.append_frame(frame, first_seq)
    assert writer.next_seq == 2
    assert writer.append_frame(sent[2 * size :], 2) == 6


def test_a_full_disk_is_an_os_error_and_the_log_goes_on_when_there_is_room(tmp_path, monkeypatch):
    real, full = os.posix_fallocate, threading.Event()

    def fallocate(fd, offset, length):
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    writer = writer_in(tmp_path)
    fill(writer, 1)
    writer.sync()
    full.set()
    fill(writer, 2 * PER_SEGMENT - 1)  # this segment and the one already prepared
    wait_until(lambda: writer.fault is not None)
    assert not writer.has_room()
    with pytest.raises(OSError, match="No space"):
        fill(writer, 1)
    assert writer.next_seq == 20
    assert not writer.has_room()
    full.clear()
    wait_until(writer.has_room)
    fill(writer, 1)
    writer.close()
    assert steps_in(tmp_path) == list(range(21))


def test_a_file_size_limit_is_an_os_error_too(tmp_path):
    code = f"""
import resource, signal, sys
sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
from tests.transport_kit import writer_in
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    writer_in(Path({str(tmp_path)!r}))
except OSError as error:
    sys.exit(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == errno.EFBIG
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_skip_to_leaves_numbers_out(tmp_path):
    writer = writer_in(tmp_path)
    fill(writer, 3)
    writer.skip_to(3)
    writer.skip_to(40)
    assert writer.append(record()) == 40
    with pytest.raises(LogError):
        writer.skip_to(5)
    writer.close()
    reader = LogReader(tmp_path)
    assert reader.gather(np.arange(4), "seq").tolist() == [0, 1, 2, 40]
    assert writer_in(tmp_path).next_seq == 41


def test_forget_deletes_whole_sealed_segments_only_where_asked_to(tmp_path):
    kept = writer_in(tmp_path / "demo")
    fill(kept, 25)
    seal_all(kept)
    assert kept.forget(25) == 0
    assert len(log_folder.paths(tmp_path / "demo")) == 3

    writer = writer_in(tmp_path / "log", trim=True)
    fill(writer, 35)
    seal_all(writer)
    assert writer.forget(9) == 0
    assert writer.forget(25) == 2
    assert [first for first, _ in log_folder.paths(tmp_path / "log")] == [20, 30]
    writer.forget(35)
    assert [first for first, _ in log_folder.paths(tmp_path / "log")] == [30]
    writer.close()
    again = writer_in(tmp_path / "log", trim=True)
    assert again.next_seq == 35
    assert again.forget(35) == 1


def test_sync_and_forget_from_another_thread_while_appending(tmp_path):
    writer = writer_in(tmp_path, trim=True)
    stop, errors = threading.Event(), []

    def keep_syncing():
        try:
            while not stop.is_set():
                writer.sync()
                writer.forget(writer.next_seq - 50)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=keep_syncing)
    thread.start()
    fill(writer, 300)
    stop.set()
    thread.join(10)
    writer.close()
    writer.sync()
    assert errors == []
    reader = LogReader(tmp_path)
    assert reader.next_seq == 300
    assert reader.gather(np.arange(len(reader)), "seq").tolist() == list(range(reader.first_seq, 300))


def test_a_closed_log_says_so(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 0, 2)
    writer.close()
    writer.close()
    with pytest.raises(LogError, match="closed"):
        writer.append(record())
    assert writer.next_seq == 3
