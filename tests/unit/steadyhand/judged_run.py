"""Runs of the point task with a policy in their checkpoints: one that walks to the goal, or one that stands still."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from steadyhand.job import Job, open_job
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.saved_policy import SavedPolicy
from tests.unit.actor.policy_kit import SPEC, walking_tensors
from tests.unit.steadyhand.point_task import OVERRIDES

QUIET = ["logging.level=warning"]


def judged_run(root: Path, name: str, skilled: bool = True, overrides: Sequence[str] = OVERRIDES) -> Job:
    """Make a run with a manifest and a checkpoint."""
    job = open_job([*overrides, *QUIET, f"run_root={root}", f"run_name={name}"])
    job.write_manifest()
    policy = SavedPolicy(SPEC, 0, 1 + skilled, walking_tensors(skilled))
    CheckpointFolder(job.run.checkpoints, keep=1).save(1, policy.to_files(), {})
    return job


def copied(made: Path, tmp_path: Path) -> Path:
    """Copy runs that a module has made once, so that a test may change them; return their root."""
    root = tmp_path / "runs"
    shutil.copytree(made, root)
    return root
