"""From recorded successes and failures on the mock to episodes that a classifier ends."""

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

QUALITY = re.compile(r"accuracy ([\d.]+)%, precision ([\d.]+)%, recall ([\d.]+)%")
CAMERA = (
    "camera=wrist_side",
    "camera.views.wrist.height=48",
    "camera.views.wrist.width=48",
    "~camera.views.side",
    "task.settings.start_position_m=[0.5,0.0,0.16]",
    "task.settings.start_range_m=[0.03,0.03,0.04]",
    "task.settings.goal_position_m=[0.5,0.0,0.08]",
)


def fit(folder, done, failed, capsys, *settings: str):
    """Fit by the verb; return the file and (accuracy, precision, recall) in percent."""
    path = folder / "classifier.onnx"
    words = ["classifier", "fit", "--success", str(done), "--failure", str(failed), "--output", str(path)]
    assert main([*words, *(f"classifier.{setting}" for setting in settings)]) == 0
    found = QUALITY.search(capsys.readouterr().out)
    assert found is not None
    return path, [float(text) for text in found.groups()]


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
def test_from_vectors_an_episode_ends_in_success_when_the_task_is_done(recorded, capsys):
    folder, done, failed = recorded
    path, quality = fit(folder, done, failed, capsys, "fields=[goal]", "updates=600")
    assert min(quality) >= 95.0
    found = attempts(20, "reward=classifier", f"reward.model={path}")
    assert [one.success for one in found] == [index % 2 == 0 for index in range(20)]
    assert all(one.judged_by == "reward" and one.steps < 20 for one in found[::2])
    # As if a policy had done it: an episode in which the operator acted is a failure of the policy.
    evaluation = judge([replace(one, human_steps=0) for one in found])
    assert (evaluation.judged_by, evaluation.successes) == ("task", 10)


@pytest.mark.slow
def test_a_reward_component_relabels_stored_records_and_a_second_time_changes_nothing(recorded, capsys):
    folder, done, failed = recorded
    path, _ = fit(folder, done, failed, capsys, "fields=[goal]", "updates=600")
    words = ["--reward", "classifier", f"reward.model={path}", "reward.success_steps=1"]
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
def test_from_one_camera_held_out_episodes_are_told_apart(tmp_path, capsys):
    done, failed = record_attempts(tmp_path, 30, *CAMERA)
    settings = ("encoder=keypoints", "latent_size=32", "updates=400", "batch_size=32", "learning_rate=2.0e-3")
    path, quality = fit(tmp_path, done, failed, capsys, "fields=[wrist]", "image_shift=2", *settings)
    accuracy, precision, recall = quality
    assert accuracy >= 97.0
    assert min(precision, recall) >= 75.0
    found = attempts(12, *CAMERA, "reward=classifier", f"reward.model={path}")
    right = sum(one.success == (index % 2 == 0) for index, one in enumerate(found))
    assert right >= 11
    assert sum(one.success and bool(one.task_success) for one in found[::2]) >= 5


def test_a_weak_classifier_is_told(recorded, capsys, tmp_path):
    _, done, failed = recorded
    words = ["--success", str(done), "--failure", str(failed), "--output", str(tmp_path / "weak.onnx")]
    assert main(["classifier", "fit", *words, "classifier.updates=1", "classifier.fields=[wrench]"]) == 0
    assert "weak: expected precision and recall of at least 90%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["train"], "classifier: expected fit, found 'train'"),
        (["fit", "classifier.updates=0"], "updates"),
        (["fit", "classifier.holdout_share=1.0"], "holdout_share: expected above 0 and below 1"),
        (["fit", "classifier.fields=[nothing]"], "observation 'nothing': no such field"),
    ],
)
def test_wrong_words_are_one_line(recorded, words, reason, capsys, tmp_path):
    _, done, failed = recorded
    folders = ["--success", str(done), "--failure", str(failed), "--output", str(tmp_path / "c.onnx")]
    assert main(["classifier", *words, *folders]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert not (tmp_path / "c.onnx").exists()
