"""The examples of recorded episodes, and their split by episode."""

import dataclasses

import numpy as np
import pytest

from steadyhand.learner.classifier_data import ClassifierDataError, read_classifier_data
from steadyhand.learner.config import ClassifierConfig
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.transport.label_log import Label, append_label
from tests.unit.learner.classifier_logs import STEPS, write
from tests.unit.learner.logs import PIXELS, session_id

CONFIG = build(ClassifierConfig, compose(["classifier.ambiguous_steps=1"])["classifier"], "classifier")
TWO = dataclasses.replace(CONFIG, stages=("half", "done"))


def label(log, episode, success=None, stages=None, author="me"):
    first = episode * (STEPS + 1)
    append_label(log, Label(session_id(0), first, first + STEPS + 1, None, None, success, author, "", stages=stages))


def test_labels_say_which_episodes_are_successes(tmp_path):
    log = write(tmp_path / "log", 4, 4)
    label(log, 3, success=False)
    with read_classifier_data([log], CONFIG, 0) as data:
        assert len(data.trained_episodes) + len(data.held_out_episodes) == 8
        assert np.count_nonzero(data.stage) == 3


def test_no_episode_is_on_both_sides_and_ambiguous_observations_are_left_out(tmp_path):
    log = write(tmp_path / "log", 6, 6)
    config = dataclasses.replace(CONFIG, positive_steps=2, ambiguous_steps=3)
    with read_classifier_data([log], config, 0) as data:
        episodes = [
            set(data.readers[0].gather(data.row[part], "episode_id").tolist()) for part in (data.trained, data.held_out)
        ]
        assert not episodes[0] & episodes[1]
        assert len(episodes[0] | episodes[1]) == 12
        assert {one.episode_id for one in data.held_out_episodes} == episodes[1]
        states = data.gather("state", data.trained[data.stage[data.trained] == 1])
        assert len(states) == 2 * len(episodes[0] & set(range(6)))
        steps = data.readers[0].gather(data.row, "step_index")
        won = data.readers[0].gather(data.row, "episode_id") < 6
        assert set(steps[won].tolist()) == {0, 1, 5, 6}
        assert set(steps[~won].tolist()) == set(range(STEPS + 1))


def test_both_kinds_of_episodes_are_held_out(tmp_path):
    log = write(tmp_path / "log", 8, 4)
    with read_classifier_data([log], CONFIG, 3) as data:
        held_out = [one.episode_id for one in data.held_out_episodes]
    assert sorted(number < 8 for number in held_out) == [False, True, True]


def test_marks_count_before_the_outcome_and_several_folders_are_one_set(tmp_path):
    one, other = write(tmp_path / "one", 2, 2), write(tmp_path / "other", 2, 0, seed=1)
    label(one, 2, stages=(0, 0, 0, 1, 1, 1, 1))  # a failure by its outcome
    config = dataclasses.replace(CONFIG, ambiguous_steps=0)
    with read_classifier_data([one, other], config, 0) as data:
        found = {str(one): int(one.stages.sum()) for one in (*data.trained_episodes, *data.held_out_episodes)}
    assert found[f"episode 2 of {one}"] == 4
    assert sum(found.values()) == 4 + 2 + 2


def refused(folders, config=CONFIG, seed=0):
    with pytest.raises(ClassifierDataError) as caught, read_classifier_data(folders, config, seed):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wins", "losses", "expected"),
    [
        (0, 4, "expected positive examples (success done) in at least 2 episodes, found none in 4 episodes"),
        (1, 4, "expected positive examples (success done) in at least 2 episodes, found all 1 in episode 0 of"),
    ],
)
def test_a_class_that_is_missing_or_of_one_episode_is_one_line(tmp_path, wins, losses, expected):
    assert expected in refused([write(tmp_path / "log", wins, losses)])


def test_negatives_may_be_missing_too(tmp_path):
    log = write(tmp_path / "log", 3, 0)
    for episode in range(3):
        label(log, episode, stages=(1,) * (STEPS + 1))
    assert "expected negative examples (success not done) in at least 2 episodes, found none" in refused([log])


def test_a_stage_without_examples_is_named(tmp_path):
    log = write(tmp_path / "log", 4, 0)
    assert "expected negative examples (half not done)" in refused([log], TWO)


def test_marks_of_a_stage_without_a_name_are_refused(tmp_path):
    log = write(tmp_path / "log", 4, 4)
    label(log, 1, stages=(0, 0, 0, 1, 1, 2, 2))
    expected = "expected marks of the stages success, found stage 2 in episode 1; give the names of all stages"
    assert expected in refused([log])


def test_logs_of_two_set_ups_are_refused(tmp_path):
    one, other = write(tmp_path / "one", 4, 0), write(tmp_path / "other", 0, 4, 1, PIXELS)
    assert f"{other}: expected the observations of {one}, found others" in refused([one, other])


def test_a_folder_that_is_missing_is_one_line(tmp_path):
    assert "nothing: expected a set of examples, a demo set or a log" in refused([tmp_path / "nothing"])
