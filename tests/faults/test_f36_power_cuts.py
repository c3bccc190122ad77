"""F36: the power fails after every change of the disk, and only what fsync covered is sure to be kept.

Each job runs once. Then the folder is built that a cut after its k-th change leaves, for all k: without anything that
was not synced, with all of it, and with a part chosen by a seed. By default the cuts of the longer jobs are sampled;
STEADYHAND_FAULTS=full takes all of them, with five seeds.
"""

import os
from pathlib import Path

import pytest

from steadyhand.runtime import run_folder
from steadyhand.transport import log_writer, segment
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from tests.disk_kit import Disk
from tests.faults.disk_jobs import JOBS
from tests.faults.disk_world import Ledger
from tests.faults.scale import FULL
from tests.power_kit import POLICIES, leave
from tests.transport_kit import CONFIG, hello, intake_in, record, writer_in

STRIDES = {} if FULL else {"log": 2, "link": 11, "demos": 2, "checkpoint": 2, "run": 2}
SEEDS = range(5 if FULL else 1)


def each_cut(scratch: Path, job: str, stride: int = 1) -> int:
    """Cut the power after each change of a job; return the number of cuts."""
    (scratch / "disk").mkdir()
    disk = Disk(scratch / "disk")
    ledger = Ledger(disk)
    with disk:
        JOBS[job].run(disk.folder, ledger)
        disk.die()
    cases = 0
    for cut in range(1, len(disk.ops) + 1, stride):
        promised = {name: value for name, value in ledger.until(cut).items() if name in JOBS[job].power}
        for policy in POLICIES:
            for seed in SEEDS if policy == "some" else (0,):
                folder = leave(disk, cut, scratch / f"{cut}-{policy}-{seed}", policy, seed)
                with Disk(folder) as after:
                    try:
                        JOBS[job].check(folder, promised)
                    except Exception as error:
                        text = f"{job}: cut after change {cut} of {len(disk.ops)}, {policy}, seed {seed}: {error!r}"
                        raise AssertionError(text) from error
                    finally:
                        after.die()
                cases += 1
    return cases


@pytest.mark.timeout(900 if FULL else 120)
@pytest.mark.parametrize("job", JOBS)
def test_the_power_fails_after_each_change(scratch, job, record_property):
    cases = each_cut(scratch, job, STRIDES.get(job, 1))
    record_property("cases", cases)
    assert cases > len(POLICIES)


def no_sync(*_, **__):
    """Do nothing, as a disk that lies."""


@pytest.mark.parametrize(
    ("job", "where", "name", "careless"),
    [
        ("log", os, "fsync", no_sync),
        ("log", log_writer, "make_folder", lambda folder: folder.mkdir(parents=True, exist_ok=True)),
        ("log", log_writer, "sync_folder", no_sync),
        ("link", os, "fsync", no_sync),
        ("checkpoint", run_folder, "sync_folder", no_sync),
        ("checkpoint", os, "fsync", no_sync),
        ("labels", os, "fsync", no_sync),
        ("calibration", run_folder, "sync_folder", no_sync),
        ("demos", os, "fsync", no_sync),
        ("run", run_folder, "sync_folder", no_sync),
    ],
)
def test_the_account_fails_without_the_syncs(scratch, monkeypatch, job, where, name, careless):
    """The twins that must fail."""
    real = Disk.__enter__

    def enter(disk):
        real(disk)
        monkeypatch.setattr(where, name, careless)
        return disk

    monkeypatch.setattr(Disk, "__enter__", enter)
    with pytest.raises(AssertionError, match="cut after change"):
        each_cut(scratch, job)


def test_a_name_never_stands_for_a_file_without_a_header(scratch, monkeypatch):
    """A cut may keep the name of a log's new file and nothing of its content; the log must still open."""
    real = segment.create

    def careless(*arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_sync)
            return real(*arguments, **options)

    for name in ("with", "without"):
        (scratch / name).mkdir()
    assert each_cut(scratch / "with", "log")
    monkeypatch.setattr(segment, "create", careless)
    with pytest.raises(AssertionError, match="expected a log segment"):
        each_cut(scratch / "without", "log")


def test_a_log_that_ends_in_a_hole_before_an_empty_file_is_sent_up_to_its_end(tmp_path):
    """A cut may keep the newest, empty file and lose the end of the one before; the link goes on behind the hole."""
    writer = writer_in(tmp_path / "actor")
    for step in range(10):
        writer.append(record(0, 0, step))
    writer.close()
    with (tmp_path / "actor" / f"{0:020d}.segment").open("r+b") as file:
        file.truncate(CONFIG.segment_bytes - 3 * writer.dtype.itemsize)
    later = writer_in(tmp_path / "other")
    later.skip_to(10)
    later.close()
    (tmp_path / "other" / f"{10:020d}.segment").rename(tmp_path / "actor" / f"{10:020d}.segment")
    uplink = LocalUplink(intake_in(tmp_path / "learner"), LogReader(tmp_path / "actor"))
    uplink.connect(hello(), 1.0)
    assert uplink.progress().next_seq == 10
