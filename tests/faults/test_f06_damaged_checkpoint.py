"""F6: a checkpoint was damaged. It is noticed at any place, the next older one serves, and none is no fresh start."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from steadyhand.learner.checkpoint import CheckpointError, CheckpointFolder
from steadyhand.learner.learner import Learner
from steadyhand.runtime.run_folder import RunFolder
from tests.faults.resume_run import learner_settings, prepare

FLIPS = 20  # seeded places a file


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with two checkpoints of a real learner."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    prepare(folder)
    run = RunFolder(folder.parent, "run")
    learner = Learner(learner_settings(), run)
    while learner.loop is None or learner.loop.counters.updates < 100:
        learner.step()
    learner.close()
    return run.checkpoints


def newest_of(folder: Path) -> Path:
    return max(folder.glob("step-*"))


def test_every_flipped_bit_of_every_file_is_noticed(trained, tmp_path):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    newest = newest_of(folder)
    older = sorted(folder.glob("step-*"))[-2]
    flips = 0
    for path in sorted(newest.iterdir()):
        whole = path.read_bytes()
        rng = np.random.default_rng(0)
        for place in rng.integers(0, len(whole), FLIPS).tolist():
            harmed = bytearray(whole)
            harmed[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(harmed)
            assert CheckpointFolder(folder, 3).newest().folder == older, f"{path.name} at {place}"
            flips += 1
        path.write_bytes(whole)
    assert flips == FLIPS * len(list(newest.iterdir())) >= 5 * FLIPS
    assert CheckpointFolder(folder, 3).newest().folder == newest


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_every_truncated_or_missing_file_is_noticed(trained, tmp_path, share):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    newest = newest_of(folder)
    for path in sorted(newest.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        assert CheckpointFolder(folder, 3).newest().folder != newest, path.name
        path.unlink()
        assert CheckpointFolder(folder, 3).newest().folder != newest, path.name
        path.write_bytes(whole)


def test_a_checkpoint_under_another_name_is_not_believed(trained, tmp_path):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    newest_of(folder).rename(folder / "step-000000999999")
    assert CheckpointFolder(folder, 3).newest().step < 999_999


def test_a_learner_whose_checkpoints_are_all_damaged_does_not_start_anew(trained, tmp_path):
    prepare(tmp_path / "run")
    run = RunFolder(tmp_path, "run")
    shutil.copytree(trained, run.checkpoints, dirs_exist_ok=True)
    for path in run.checkpoints.glob("*/manifest.json"):
        path.unlink()
    with pytest.raises(CheckpointError, match="damaged; restore one, or move them away to start over"):
        Learner(learner_settings(), run)
    assert not (run.path / "learner_epoch.json").exists()  # nothing was begun


def test_the_manifest_of_the_format_before_is_still_read(trained, tmp_path):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    newest = newest_of(folder)
    manifest = json.loads((newest / "manifest.json").read_bytes())
    (newest / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    (newest / "manifest.sha256").unlink()
    assert CheckpointFolder(folder, 3).newest().folder == newest
