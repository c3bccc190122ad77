from collections import namedtuple

from steadyhand.doctor import Level, storage
from tests.unit.steadyhand.doctor.kit import config

Usage = namedtuple("Usage", "free")


def test_room_for_a_run(tmp_path, monkeypatch):
    chosen = config(f"run_root={tmp_path}/not/there/yet")
    levels = []
    for free in (10**8, 5 * 10**9, 10**12):
        monkeypatch.setattr(storage.shutil, "disk_usage", lambda path, free=free: Usage(free))
        levels.append(storage.check_disk(chosen).level)
    assert levels == [Level.BROKEN, Level.NOTE, Level.OK]


def test_runs_may_be_written_below_a_folder_and_not_below_a_file(tmp_path):
    assert storage.check_run_root(config(f"run_root={tmp_path}/runs")).level is Level.OK
    (tmp_path / "file").touch()
    assert storage.check_run_root(config(f"run_root={tmp_path}/file/runs")).level is Level.BROKEN
