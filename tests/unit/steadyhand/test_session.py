import json
import math

import numpy as np
import pytest

from benchmarks.random_weights import resnet10_file
from steadyhand.job import open_job
from steadyhand.learner.fit_bc import BcDataError
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.log_facts import read_log
from steadyhand.policies import load_backbone
from steadyhand.policy_file import PolicyFileError
from steadyhand.runtime.config import compose
from steadyhand.session import (
    FilmError,
    demonstrator_name,
    evaluate,
    feature_bytes,
    film_policy,
    fit_bc_baseline,
    practice_logs,
    record_demos,
)
from steadyhand.transport.demo_set import DemoSetError
from tests.events_kit import on_episode
from tests.unit.learner.logs import PIXELS
from tests.unit.steadyhand.point_task import OVERRIDES
from tests.unit.steadyhand.synthetic_run import write_log


@pytest.fixture
def job(tmp_path):
    return open_job([*OVERRIDES, f"run_root={tmp_path}", "run_name=point", "logging.level=warning"])


def test_records_fits_and_judges(job):
    seen = []
    manifest = record_demos(job, events=on_episode(seen.append))
    assert manifest.successes == 5
    assert len(seen) == manifest.episodes
    assert read_log(job.run.demos).successes == 5
    policy = fit_bc_baseline(job, [job.run.demos])
    result = evaluate(job, policy, 10, seed=0, who="bc")
    assert result.success_rate >= 0.5  # the expert is nearly linear
    kept = json.loads((job.run.metrics / "evaluation_bc.json").read_text(encoding="utf-8"))
    assert kept["successes"] == result.successes
    assert len(kept["rows"]) == 10


def test_equal_seeds_give_equal_evaluations(job):
    record_demos(job)
    policy = fit_bc_baseline(job, [job.run.demos])
    assert evaluate(job, policy, 5, seed=3).rows == evaluate(job, policy, 5, seed=3).rows


def test_recording_again_goes_on_and_adds_nothing_when_there_is_enough(job):
    first = record_demos(job)
    assert record_demos(job) == first


def test_too_few_successes_are_said(tmp_path):
    job = open_job([*OVERRIDES, f"run_root={tmp_path}", "demo.max_attempts=5", "task.max_steps=1"])
    with pytest.raises(DemoSetError, match="expected 5 successful demonstrations in 5 attempts"):
        record_demos(job)


@pytest.mark.parametrize("kept", [True, False])
def test_failed_attempts_are_kept_where_that_is_wanted_and_are_not_imitated(tmp_path, kept):
    words = [*OVERRIDES, f"run_root={tmp_path}", "demo.max_attempts=5", "task.max_steps=1"]
    job = open_job([*words, f"demo.keep_failures={str(kept).lower()}"])
    with pytest.raises(DemoSetError):
        record_demos(job)
    assert job.run.failed_demos.exists() == kept
    if kept:
        failures = 5 - read_log(job.run.demos).successes
        assert [episode.success for episode in read_log(job.run.failed_demos).episodes] == [False] * failures
        with pytest.raises(BcDataError, match="labels call all of them failures"):
            fit_bc_baseline(job, [job.run.failed_demos])


def test_a_stop_ends_the_recording_without_a_complaint(job):
    assert record_demos(job, stop=lambda: True).successes == 0


def test_logs_without_human_actions_cannot_be_cloned(job):
    from steadyhand.transport.record import Phase

    write_log(job.run.log / ("ab" * 16), [5, 5], Phase.TRAIN)
    assert [path.name for path in practice_logs(job)] == ["ab" * 16]
    with pytest.raises(BcDataError):
        fit_bc_baseline(job, practice_logs(job))


@pytest.mark.parametrize(("shift", "views"), [(2, 3), (0, 1)])
def test_features_that_the_learner_keeps_are_counted(tmp_path, shift, views):
    weights = resnet10_file(tmp_path)
    frozen = ["policy=pretrained", "policy.encoder=resnet10", f"policy.encoder_weights={weights}"]
    job = open_job([*OVERRIDES, *frozen, "policy.feature_cache=3", f"algo.image_shift={shift}", f"run_root={tmp_path}"])
    one_map = 2 * math.prod(load_backbone("resnet10", str(weights)).map_shape((32, 32, 3)))
    assert feature_bytes(job, PIXELS) == 4 + views * one_map


def test_without_a_frozen_encoder_there_are_none(job):
    assert feature_bytes(job, PIXELS) == 0


def test_weights_of_another_policy_are_refused(job):
    record_demos(job)
    policy = fit_bc_baseline(job, [job.run.demos])
    wrong = {name: np.zeros(3, np.float32) for name in policy.tensors}
    with pytest.raises(PolicyFileError, match="fit the specification"):
        evaluate(job, SavedPolicy(policy.spec, 0, 1, wrong), 1, seed=0)


def test_an_environment_without_a_camera_cannot_be_filmed(job):
    record_demos(job)
    policy = fit_bc_baseline(job, [job.run.demos])
    with pytest.raises(FilmError, match="no camera called side"):
        film_policy(job, policy, seed=0)


def test_a_demo_set_says_who_showed_it():
    task = {"expert": "package.module:Expert"}
    for name, who in (
        ("spacemouse", "person (spacemouse)"),
        ("joy", "person (joy)"),
        ("none", "package.module:Expert"),
    ):
        assert demonstrator_name({"device": compose([f"device={name}"])["device"], "task": task}) == who
