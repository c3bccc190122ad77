"""From recorded successes and failures on the mock to episodes that a classifier ends."""

import json
import re
from dataclasses import replace

import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import judge
from steadyhand.cli import main
from steadyhand.log_facts import read_log
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.record import Phase
from tests.reward_kit import REACH, Reacher, record_attempts
from tests.robot_kit import make_robot_env

CAMERA = (
    "camera=wrist_side",
    "camera.views.wrist.height=48",
    "camera.views.wrist.width=48",
    "~camera.views.side",
    "task.settings.start_position_m=[0.5,0.0,0.16]",
    "task.settings.start_range_m=[0.03,0.03,0.04]",
    "task.settings.goal_position_m=[0.5,0.0,0.08]",
)


def train(folder, done, failed, *settings: str):
    """Train by the verb; return the file and the numbers of the success."""
    path = folder / "classifier.onnx"
    words = ["reward", "train", str(done), str(failed), "--output", str(path)]
    assert main([*words, *(f"classifier.{setting}" for setting in settings)]) == 0
    facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return path, facts["stages"]["success"]


def attempts(count, *overrides):
    """Run attempts of which every second fails; return their summaries."""
    env = make_robot_env(*REACH, *overrides)
    loop = ControlLoop(env, env_schema(env), lambda record: None)
    selector = ActionSelector(Reacher(seed=7), Arbiter(teachable(env).motion_entries, AT_ONCE, 0.1))
    found = [loop.run_episode(index, Phase.EVAL, selector, 1000 + index) for index in range(count)]
    env.close()
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reach")
    return folder, *record_attempts(folder, 20)


@pytest.mark.slow
def test_from_vectors_an_episode_ends_in_success_when_the_task_is_done(recorded):
    folder, done, failed = recorded
    path, quality = train(
        folder, done, failed, "fields=[goal]", "updates=600", "batch_size=64", "false_positive_rate=0.02"
    )
    assert quality["recall"] >= 0.95
    assert quality["false_positive_rate"] <= 0.02
    found = attempts(20, "reward=classifier", f"reward.model={path}")
    assert [one.success for one in found] == [index % 2 == 0 for index in range(20)]
    assert all(one.judged_by == "reward" and one.steps < 20 for one in found[::2])
    # As if a policy had done it: an episode in which the operator acted is a failure of the policy.
    evaluation = judge([replace(one, human_steps=0) for one in found])
    assert (evaluation.judged_by, evaluation.successes) == ("task", 10)


@pytest.mark.slow
def test_a_reward_component_relabels_stored_records_and_a_second_time_changes_nothing(recorded, capsys):
    folder, done, failed = recorded
    path, _ = train(folder, done, failed, "fields=[goal]", "updates=600", "batch_size=64", "false_positive_rate=0.02")
    capsys.readouterr()
    words = [
        "--reward",
        "classifier",
        f"reward.model={path}",
        "reward.confirm_steps=1",
        "reward.window_steps=1",
        "reward.hold_s=0",
    ]
    for log, wins in ((done, 20), (failed, 0)):
        before = [episode.success for episode in read_log(log).episodes]
        segments = {path.name: path.read_bytes() for path in log.glob("*.segment")}
        assert main(["relabel", str(log), *words]) == 0
        said = capsys.readouterr().out
        assert f"{len(before)} episodes scored by reward=classifier" in said
        labels = read_log(log).labels
        assert main(["relabel", str(log), *words]) == 0
        assert f"{len(before)} episodes scored by reward=classifier, 0 changed\n" in capsys.readouterr().out
        assert read_log(log).labels == labels
        assert abs(read_log(log).successes - wins) <= 1
        assert {path.name: path.read_bytes() for path in log.glob("*.segment")} == segments


@pytest.mark.slow
def test_from_one_camera_held_out_episodes_are_told_apart(tmp_path):
    done, failed = record_attempts(tmp_path, 30, *CAMERA)
    settings = ("encoder=keypoints", "latent_size=32", "updates=400", "batch_size=32", "learning_rate=2.0e-3")
    rate = "false_positive_rate=0.02"
    path, quality = train(tmp_path, done, failed, "fields=[wrist]", "image_shift=2", rate, *settings)
    assert quality["accuracy"] >= 0.97
    assert quality["recall"] >= 0.7
    found = attempts(12, *CAMERA, "reward=classifier", f"reward.model={path}")
    right = sum(one.success == (index % 2 == 0) for index, one in enumerate(found))
    assert right >= 11
    assert sum(one.success and bool(one.task_success) for one in found[::2]) >= 5


def test_a_weak_classifier_is_reported_and_its_numbers_and_page_are_beside_it(recorded, capsys, tmp_path):
    _, done, failed = recorded
    path = tmp_path / "weak.onnx"
    words = [str(done), str(failed), "classifier.updates=1", "classifier.fields=[wrench]", "--output", str(path)]
    assert main(["reward", "train", *words]) == 0
    assert "weak: expected a recall of at least 90% with at most 0.20% false positives" in capsys.readouterr().out
    facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    success = facts["stages"]["success"]
    counts = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert all(f'<td class="n">{success[name]}</td>' in page for name in counts)
    assert page.count("<svg") == 2
    assert not re.search(r'(src|href)="', page)  # nothing outside of the file
    assert success["curve"][0].keys() == {"threshold", "precision", "recall"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["classifier.updates=0"], "updates"),
        (["classifier.holdout_share=1.0"], "holdout_share: expected above 0 and below 1"),
        (["classifier.fields=[nothing]"], "observation 'nothing': no such field"),
        (["--output", "nowhere/c.onnx"], "--output nowhere/c.onnx: expected a file that can be written"),
    ],
)
def test_wrong_words_are_one_line(recorded, words, reason, capsys, tmp_path, monkeypatch):
    _, done, failed = recorded
    monkeypatch.chdir(tmp_path)
    assert main(["reward", "train", str(done), str(failed), *words]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
