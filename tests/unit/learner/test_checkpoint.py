import errno
import json
import logging
import os

import numpy as np
import pytest

from steadyhand.learner import checkpoint as module
from steadyhand.learner.checkpoint import CheckpointError, CheckpointFolder, read_checkpoint

FILES = {"learner.safetensors": bytes(range(200)), "policy.json": b"{}"}


@pytest.fixture
def checkpoints(tmp_path):
    return CheckpointFolder(tmp_path / "checkpoints", keep=3)


def test_round_trip_of_the_newest(checkpoints):
    assert checkpoints.newest() is None
    checkpoints.save(5, {"a.json": b"old"}, {})
    checkpoints.save(40, FILES, {"schema_hash": "x"})
    found = checkpoints.newest()
    assert (found.step, found.files, found.facts) == (40, FILES, {"schema_hash": "x"})


def test_the_newest_few_stay(checkpoints):
    for step in (1, 2, 30, 4, 50):
        checkpoints.save(step, FILES, {})
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == [f"step-{step:012d}" for step in (4, 30, 50)]


def flip(path, rng):
    raw = bytearray(path.read_bytes())
    raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
    path.write_bytes(raw)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("seed", range(10))
def test_a_flipped_bit_leaves_the_older_one(checkpoints, caplog, name, seed):
    checkpoints.save(1, FILES, {"which": "old"})
    path = checkpoints.save(2, FILES, {"which": "new"})
    flip(path / name, np.random.default_rng(seed))
    with caplog.at_level(logging.ERROR, logger="steadyhand"):
        found = checkpoints.newest()
    if found.step == 2:  # the flip hit what the manifest says beside the files
        assert name == "manifest.json"
    else:
        assert found.facts == {"which": "old"}
        assert "left out" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "learner.safetensors").unlink(),
        lambda path: (path / "learner.safetensors").write_bytes(b"short"),
        lambda path: (path / "manifest.json").unlink(),
        lambda path: (path / "manifest.json").write_text("{}"),
        lambda path: (path / "manifest.json").write_text("[]"),
        lambda path: (path / "manifest.json").write_bytes(b""),
    ],
)
def test_damage_everywhere_is_refused_and_never_a_fresh_start(checkpoints, damage):
    damage(checkpoints.save(1, FILES, {}))
    with pytest.raises(CheckpointError, match="1 damaged"):
        checkpoints.newest()


@pytest.mark.parametrize("name", ["../policy.json", "/etc/hosts", "a/b.json", "x.pkl"])
def test_a_manifest_names_no_file_elsewhere(checkpoints, name):
    path = checkpoints.save(1, FILES, {})
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"][name] = manifest["files"]["policy.json"]
    (path / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    with pytest.raises(CheckpointError, match="plain file names"):
        read_checkpoint(path)


def test_an_unknown_format_is_refused(checkpoints):
    path = checkpoints.save(1, FILES, {})
    manifest = json.loads((path / "manifest.json").read_text()) | {"format": 9}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="format"):
        read_checkpoint(path)


class Killed(BaseException):
    """The process ends here; nothing that follows is run."""


def kill_at(monkeypatch, call):
    """Count the system calls of a save that matter for its order, and end the process before number `call`."""
    calls = {"count": 0}

    def counted(function):
        def wrapper(*args, **kwargs):
            if calls["count"] == call:
                raise Killed
            calls["count"] += 1
            return function(*args, **kwargs)

        return wrapper

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(module.Path, "mkdir", counted(module.Path.mkdir))
    monkeypatch.setattr(module.Path, "open", counted(module.Path.open))
    monkeypatch.setattr(module.Path, "rename", counted(module.Path.rename))
    return calls


def test_killed_at_any_point_a_whole_checkpoint_is_found(checkpoints, monkeypatch):
    checkpoints.save(1, FILES, {"which": "old"})
    call, found = 0, []
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(module.shutil, "rmtree", lambda *args, **kwargs: None)  # a dead process cleans nothing up
            kill_at(patch, call)
            try:
                checkpoints.save(2, FILES, {"which": "new"})
            except Killed:
                pass
            else:
                break
        found.append(checkpoints.newest().facts["which"])
        for left in checkpoints.folder.glob("*2"):
            module.shutil.rmtree(left)
        call += 1
    assert call == 14  # mkdir and fsync of the folder, mkdir, four times open and fsync, fsync, rename, fsync
    assert found == ["old"] * 13 + ["new"]


def test_what_a_crash_left_behind_does_not_stand_in_the_way(checkpoints):
    left = checkpoints.folder / "tmp-000000000002"
    left.mkdir(parents=True)
    (left / "policy.json").write_bytes(b"half")
    checkpoints.save(2, FILES, {})
    assert checkpoints.newest().files == FILES
    assert not left.exists()


def test_a_full_disk_leaves_what_was_there(checkpoints, monkeypatch):
    checkpoints.save(1, FILES, {})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            checkpoints.save(2, FILES, {})
    assert [path.name for path in checkpoints.folder.iterdir()] == ["step-000000000001"]
    assert checkpoints.newest().step == 1


def test_a_damaged_checkpoint_can_be_written_again(checkpoints):
    path = checkpoints.save(2, FILES, {})
    (path / "policy.json").write_bytes(b"")
    checkpoints.save(2, FILES, {})
    assert checkpoints.newest().files == FILES
