"""A second run from a first one, as a program trains them."""

import json

import numpy as np
import pytest

import steadyhand as sh
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.prior import PriorDataError
from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from tests.unit.actor.point_env import PointEnv
from tests.unit.steadyhand.point_task import OVERRIDES, PointExpert

SMALL = [word for word in OVERRIDES if not word.startswith(("task=", "task.entry_point", "task.expert"))]
SHORT = [*SMALL, "logging.console=off", "logging.level=warning", "demo.demos=2", "actor.max_env_steps=60"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "first"
    sh.train(PointEnv(), *SHORT, run=run, expert=PointExpert)
    return run


def train_from(first, name, *words):
    run = first.parent / name
    sh.train(PointEnv(), *SHORT, f"earlier.run={first}", *words, run=run, expert=PointExpert)
    return run


def test_a_second_run_starts_from_the_first(first, capsys):
    run = train_from(first, "second", "seed=4")
    out = capsys.readouterr().out
    assert out.count(f"from {first}: weights, demos, practice") == 1
    note = json.loads((run / "earlier.json").read_text())
    assert (note["run"], note["take"]) == ("first", ["weights", "demos", "practice"])
    rows = [json.loads(line) for line in (run / "metrics" / "learner.jsonl").read_text().splitlines()]
    assert rows[-1]["earlier_starts"] > 0
    assert rows[-1]["prior_starts"] > 0
    old, new = (newest_policy(one / "checkpoints").spec.normaliser for one in (first, run))
    assert new == old  # the scaling of the first run's inputs stays


def test_weights_alone_act_from_the_first_step(first):
    run = train_from(first, "alone", "earlier.take=[weights]", "learner.pretrain_updates=0", "device=none")
    began = SavedPolicy.from_files(CheckpointFolder(run / "start", 1).newest().files).tensors
    for name, value in newest_policy(first / "checkpoints").tensors.items():
        if name != "residual_share":
            np.testing.assert_array_equal(began[name], value)


def test_a_part_that_does_not_fit_ends_it_before_the_demonstrations(first):
    with pytest.raises(PriorDataError, match="policy: expected weights of a policy with hidden="):
        train_from(first, "refused", "policy.hidden=[8]")
    assert not (first.parent / "refused").exists()
