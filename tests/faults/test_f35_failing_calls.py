"""F35: every call to the disk fails in turn, once or from then on; nothing acknowledged is lost, nothing is doubled.

One clean run of each job counts its calls. Then the job is repeated with the k-th call refused, for all k. By default
the calls of the longer jobs are sampled; STEADYHAND_FAULTS=full takes all of them.
"""

import os
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from steadyhand.learner import checkpoint
from steadyhand.runtime import run_folder
from steadyhand.transport import segment
from steadyhand.transport.log import LogReader
from tests.disk_kit import Disk, Plan
from tests.faults.disk_jobs import JOBS
from tests.faults.disk_world import Ledger
from tests.faults.scale import FULL
from tests.integrity.plain_log import read_log
from tests.pool_kit import Pool
from tests.power_kit import leave
from tests.transport_kit import record, writer_in

NEVER = 1 << 40
STRIDES = {} if FULL else {"log": 3, "link": 17, "demos": 3, "checkpoint": 2, "run": 3, "calibration": 3}
KINDS = ["ENOSPC", "EIO", "short"]


def run(folder: Path, job: str, plan: Plan) -> tuple[Disk, Ledger]:
    """Run a job until its process dies."""
    folder.mkdir()
    disk = Disk(folder, plan)
    ledger = Ledger(disk)
    with disk:
        try:
            JOBS[job].run(folder, ledger)
        finally:
            disk.die()
    return disk, ledger


def check(folder: Path, job: str, ledger: Ledger) -> None:
    promised = {name: value for name, value in ledger.until().items() if name in JOBS[job].process}
    with Disk(folder) as disk:
        try:
            JOBS[job].check(folder, promised)
            assert disk.open_files() == []
        finally:
            disk.die()


def each_call(scratch: Path, job: str, kind: str, stride: int = 1) -> int:
    """Repeat a job with each of its calls refused in turn; return the number of repetitions."""
    clean, ledger = run(scratch / "clean", job, Plan(NEVER, kind))
    check(scratch / "clean", job, ledger)
    cases = 0
    for lasting in (False, True):
        for at in range(0, clean.count, stride):
            place = scratch / f"{kind}-{lasting}-{at}"
            disk, ledger = run(place, job, Plan(at, kind, lasting))
            assert disk.failed, f"call {at} was not made"
            try:
                check(place, job, ledger)
            except Exception as error:
                text = f"{job}: call {at} of {clean.count} fails with {kind}, lasting={lasting}: {error!r}"
                raise AssertionError(text) from error
            cases += 1
    return cases


@pytest.mark.timeout(900 if FULL else 120)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("job", JOBS)
def test_each_call_of_a_job_fails_in_turn(scratch, job, kind, record_property):
    cases = each_call(scratch, job, kind, STRIDES.get(job, 1))
    record_property("cases", cases)
    assert cases > 1


def write_once(fd, parts, offset):
    os.pwritev(fd, parts, offset)


def replace_early(path, data):
    """Write a file in place: short, but not atomic."""
    with suppress(FileNotFoundError):
        path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("job", "kind", "where", "name", "careless"),
    [
        ("log", "short", segment, "pwrite_all", write_once),
        ("calibration", "EIO", run_folder, "atomic_write_bytes", replace_early),
        ("run", "ENOSPC", run_folder, "atomic_write_bytes", replace_early),
    ],
)
def test_the_account_fails_without_the_care(scratch, monkeypatch, job, kind, where, name, careless):
    """The twins that must fail: a short write is believed, a file is replaced in place."""
    monkeypatch.setattr(where, name, careless)
    if job == "calibration":
        monkeypatch.setattr("steadyhand.runtime.calibration_file.atomic_write_bytes", careless)
    with pytest.raises(AssertionError):
        each_call(scratch, job, kind)


def test_a_checkpoint_that_is_written_again_is_there_until_the_new_one_is(scratch):
    for at in range(40):
        folder = scratch / str(at)
        folder.mkdir()
        checkpoints = checkpoint.CheckpointFolder(folder / "checkpoints", keep=3)
        checkpoints.save(1, {"policy.json": b"1"}, {})
        with Disk(folder, Plan(at, "EIO", lasting=True)) as disk, suppress(OSError):
            checkpoints.save(1, {"policy.json": b"2"}, {})
        checkpoints.clean()
        assert checkpoints.newest().files in ({"policy.json": b"1"}, {"policy.json": b"2"})
        if not disk.failed:
            break
    else:
        pytest.fail("expected all calls to have failed once")


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("rolls", [False, True])
def test_a_sync_after_a_failed_one_writes_the_records_again(scratch, monkeypatch, rolls, again):
    """Linux calls the pages of a failed fsync clean, so a second one succeeds without them (the twin)."""
    if not again:
        monkeypatch.setattr(segment, "write_again", lambda *_, **__: None)
    (scratch / "disk").mkdir()
    with Disk(scratch / "disk") as disk:
        writer = writer_in(scratch / "disk" / "log")
        for step in range(7):
            writer.append(record(0, 0, step))
        Pool.work_all()
        disk.plan = Plan(disk.count, "EIO", only="fsync")
        with pytest.raises(OSError, match="Input/output"):
            writer.sync()
        for step in range(7, 25 if rolls else 9):
            writer.append(record(0, 0, step))
        writer.sync()
        end = writer.next_seq
        leave(disk, len(disk.ops), scratch / "left")
        disk.die()
    sound = [one.seq for one in read_log(scratch / "left" / "log") if one.sound]
    assert (sound == list(range(end))) is again


@pytest.mark.parametrize("again", [True, False])
def test_a_new_writer_writes_again_what_the_last_one_could_not_sync(scratch, monkeypatch, again):
    if not again:
        monkeypatch.setattr(segment, "write_again", lambda *_, **__: None)
    (scratch / "disk").mkdir()
    with Disk(scratch / "disk") as disk:
        writer = writer_in(scratch / "disk" / "log")
        for step in range(7):
            writer.append(record(0, 0, step))
        Pool.work_all()
        disk.plan = Plan(disk.count, "EIO", only="fsync")
        with pytest.raises(OSError, match="Input/output"):
            writer.sync()
        disk.die()
        with closing(writer_in(scratch / "disk" / "log")) as writer:
            leave(disk, len(disk.ops), scratch / "left")
    sound = [one.seq for one in read_log(scratch / "left" / "log") if one.sound]
    assert (sound == list(range(7))) is again


def test_a_log_whose_earlier_file_could_not_be_sealed_does_not_close_as_if_it_were(scratch):
    with Disk(scratch) as disk:
        writer = writer_in(scratch / "log")
        for step in range(11):
            writer.append(record(0, 0, step))
        disk.plan = Plan(1, "EIO", only="fsync")  # the first one is of the next file
        Pool.work_all()  # seals the first file, in vain
        assert disk.failed
        with pytest.raises(OSError, match="Input/output"):
            writer.close()
        disk.die()


def test_each_read_fails_in_turn_and_the_reader_goes_on(scratch):
    """A refused read changes nothing: the next one returns the same records, and no file stays open."""
    with closing(writer_in(scratch / "log")) as writer:
        for step in range(25):
            writer.append(record(0, 0, step))
        writer.sync()  # and the next file has been made
        for at in range(1000):
            with Disk(scratch, Plan(at, "EIO")) as disk:
                before, reader = len(disk.open_files()), None
                with suppress(OSError):
                    reader = LogReader(scratch / "log")
                if reader is None:
                    assert len(disk.open_files()) == before
                    reader = LogReader(scratch / "log")
                with suppress(OSError):
                    reader.refresh()
                disk.plan = None
                reader.refresh()
                assert reader.gather(np.arange(len(reader)), "step_index").tolist() == list(range(25))
                reader.close()
                assert len(disk.open_files()) == before
            if not disk.failed:
                break
        assert 10 < at < 999
