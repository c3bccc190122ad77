"""F4: the learner dies while it saves. What was saved before, or what was being saved, is there whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.runtime.crashpoint import EXIT_STATUS, POINTS, VARIABLE

ROOT = Path(__file__).resolve().parents[2]
STEPS = [name for name in POINTS if name.startswith("checkpoint.")]
FILES = {"policy.json": b"{}", "learner.safetensors": bytes(range(256)) * 40}
# Before the rename the older one counts, from then on the new one.
OLD = {"checkpoint.begun", "checkpoint.file", "checkpoint.manifest", "checkpoint.synced"}


def save(folder: Path, step: int, crash: str = "") -> int:
    code = (
        "from pathlib import Path\nfrom steadyhand.learner.checkpoint import CheckpointFolder\n"
        f"CheckpointFolder(Path({str(folder)!r}), keep=2).save({step}, {FILES!r}, {{'at': {step}}})\n"
    )
    environment = {VARIABLE: crash, "PATH": ""}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize("point", STEPS)
def test_killed_at_every_step_of_a_save_a_whole_checkpoint_is_found(tmp_path, point):
    checkpoints = CheckpointFolder(tmp_path, keep=2)
    for step in (1, 2):
        checkpoints.save(step, FILES, {"at": step})
    assert save(tmp_path, 3, point) == EXIT_STATUS
    found = checkpoints.newest()
    assert found.step == (2 if point in OLD else 3)
    assert (found.files, found.facts) == (FILES, {"at": found.step})
    # And the next start saves as if nothing had been.
    checkpoints.clean()
    assert save(tmp_path, 3) == 0
    assert checkpoints.newest().step == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000000002", "step-000000000003"]


def test_the_sweep_goes_over_every_step():
    assert len(STEPS) >= 7
    assert set(STEPS) >= OLD
