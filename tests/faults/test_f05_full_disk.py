"""F5: the disk fills up. What is on it stays whole, nothing is acknowledged that is not stored, and it is said."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.transport import segment
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import record_dtype
from tests.transport_kit import CONFIG, SCHEMA, hello, intake_in, session_id, write_episode, writer_in

ROOT = Path(__file__).resolve().parents[2]
SIZE = record_dtype(SCHEMA).itemsize
# In a child: no file may grow beyond `limit` bytes. A write may first succeed in part.
LIMIT = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"


def child(code: str, limit: int) -> list[str]:
    limited = f"{LIMIT}resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    command = [sys.executable, "-c", code.replace("LIMIT_NOW\n", limited)]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("limit", [100, 5_000, 9_000])
def test_a_checkpoint_that_finds_no_room_leaves_the_older_one(tmp_path, limit):
    checkpoints = CheckpointFolder(tmp_path, keep=3)
    checkpoints.save(1, {"learner.safetensors": bytes(10_000)}, {})
    code = (
        "from pathlib import Path\nfrom steadyhand.learner.checkpoint import CheckpointFolder\nLIMIT_NOW\n"
        f"folder = CheckpointFolder(Path({str(tmp_path)!r}), keep=3)\n"
        "try:\n    folder.save(2, {'policy.json': b'{}', 'learner.safetensors': bytes(10_000)}, {})\n"
        "except OSError as error:\n    print(error.errno)\n"
    )
    assert child(code, limit) == ["27"]
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000001"]
    assert checkpoints.newest().step == 1


@pytest.mark.parametrize("room", [3, 10, 25])
def test_a_log_without_room_refuses_the_record_and_keeps_every_one_that_it_took(tmp_path, room):
    # Segments are preallocated, so it is the next segment that does not fit: here, as it would be larger than allowed.
    code = (
        "from pathlib import Path\nfrom tests.transport_kit import record, writer_in\n"
        f"writer = writer_in(Path({str(tmp_path)!r}))\n"
        f"taken = [writer.append(record(0, 0, step)) for step in range({room})]\nLIMIT_NOW\n"
        "try:\n    while True:\n        taken.append(writer.append(record(0, 0, len(taken))))\n"
        "except OSError as error:\n    print(error.errno, len(taken), writer.next_seq)\n"
    )
    number, taken, next_seq = map(int, child(code, 8192 + 2 * SIZE))
    assert number in (27, 28)
    assert taken == next_seq >= room
    reader = LogReader(tmp_path)
    assert reader.gather(np.arange(len(reader)), "step_index").tolist() == list(range(taken))
    # With room again the same log goes on.
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 1, 5)
    writer.close()
    assert LogReader(tmp_path).next_seq == taken + 6


def test_a_learner_without_room_acknowledges_nothing_and_goes_on_when_there_is_some(tmp_path, monkeypatch):
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "actor")
    uplink = LocalUplink(intake, LogReader(writer.folder))
    uplink.connect(hello(), 1.0)
    write_episode(writer, 0, 0, 8)
    uplink.notify()
    assert uplink.progress().next_seq == 9
    full = [True]

    real = segment.pwrite_all

    def refuse(fd, parts, offset):
        if full and str(tmp_path / "learner") in str(Path(f"/proc/self/fd/{fd}").readlink()):
            raise OSError(28, "No space left on device")
        real(fd, parts, offset)

    monkeypatch.setattr(segment, "pwrite_all", refuse)
    write_episode(writer, 0, 1, 30)
    uplink.notify()
    held = uplink.progress().next_seq
    assert held < writer.next_seq
    assert not uplink.progress().connected
    assert intake.next_seq(session_id(0)) == held
    full.clear()
    uplink.notify()
    assert uplink.progress().next_seq == writer.next_seq
    uplink.close()
    (reader,) = intake.readers()
    reader.refresh()
    assert reader.read(0, len(reader)).tobytes() == LogReader(writer.folder).frame(0, 40)
    writer.close()


def test_a_quota_is_a_number_of_bytes_and_not_a_guess():
    assert CONFIG.quota_bytes > SIZE
