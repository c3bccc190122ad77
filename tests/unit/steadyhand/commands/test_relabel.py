import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.log_facts import read_log
from steadyhand.robot_envs.rewards.reward import LAST_STEP, Reward, Score
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Phase
from tests.unit.steadyhand.synthetic_run import write_demos, write_log


@pytest.fixture
def log(tmp_path):
    write_log(tmp_path / "log", [4, 6, 5], Phase.TRAIN)
    return tmp_path / "log"


def sampled(folder):
    """(reward, discount) of every start, as training sees them."""
    store = ReplayStore(1000)
    store.advance(store.refresh([LogReader(folder)]))
    ((entry, _, rows),) = store.by_log(store.online)
    _, reward, discount = entry.n_step(rows, 1, 0.5)
    return reward, discount


def test_a_failure_is_no_success_from_now_on_and_no_record_is_touched(log, capsys):
    before = {path.name: path.read_bytes() for path in log.glob("*.segment")}
    last = 4 + 6 - 1
    main(["relabel", str(log), "1", "--success"])
    reward, discount = sampled(log)
    assert (reward[last], discount[last]) == (1.0, 0.0)
    assert main(["relabel", str(log), "1", "--failure"]) == 0
    assert "episode 1 is no success (label 4)" in capsys.readouterr().out
    assert [episode.success for episode in read_log(log).episodes] == [True, False, True]
    now_reward, now_discount = sampled(log)
    assert (now_reward[last], now_discount[last]) == (0.0, 0.5)
    others = np.arange(len(reward)) != last
    np.testing.assert_array_equal(now_reward[others], reward[others])
    np.testing.assert_array_equal(now_discount[others], discount[others])
    assert {path.name: path.read_bytes() for path in log.glob("*.segment")} == before


def test_the_newest_word_counts(log):
    main(["relabel", str(log), "0", "--failure"])
    main(["relabel", str(log), "0", "--success", "--reward", "2.5"])
    assert [episode.success for episode in read_log(log).episodes] == [True, True, True]
    reward, discount = sampled(log)
    assert (reward[3], discount[3]) == (2.5, 0.0)


def test_what_is_not_there_is_one_line(log, tmp_path, capsys):
    assert main(["relabel", str(log), "9", "--success"]) == 2
    assert "no episode 9" in capsys.readouterr().err
    assert main(["relabel", str(tmp_path), "0", "--success"]) == 2
    assert "expected a log" in capsys.readouterr().err
    assert main(["relabel", str(log), "0", "--success", "seed=1"]) == 2
    assert not (log / "labels.log").exists()


def test_inspect_shows_the_numbers_and_the_labels(tmp_path, capsys):
    write_demos(tmp_path / "demos", [4, 6])
    main(["relabel", str(tmp_path / "demos"), "1", "--failure"])
    capsys.readouterr()
    assert main(["inspect", "--episodes", str(tmp_path / "demos")]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "episode phase steps human success" in words
    assert "1 demo 6 0 no" in words
    assert "labels 2" in words


NEAR = ("--reward", "task", "reward.entry_point=tests.unit.steadyhand.commands.test_relabel:Second")


class Second(Reward):
    """The second step of an episode is its success; the others cost 0.5."""

    def begin(self):
        self.steps = 0

    def score(self, observation, state, outcome, info):
        assert (state, info.keys()) == (None, {LAST_STEP})
        assert observation["pose"].shape == (3,)
        self.steps += 1
        return Score(1.0 if self.steps == 2 else -0.5, self.steps == 2)


def relabel(log, *words):
    return main(["relabel", str(log), *words])


def test_a_reward_component_scores_every_step_of_every_episode_and_is_idempotent(log, capsys):
    before = {path.name: path.read_bytes() for path in log.glob("*.segment")}
    assert relabel(log, *NEAR) == 0
    assert "3 episodes scored by reward=task, 3 changed (label 3)" in capsys.readouterr().out
    reward, discount = sampled(log)
    for first, length in ((0, 4), (4, 6), (10, 5)):
        assert reward[first : first + length].tolist() == [-0.5, 1.0, *[-0.5] * (length - 2)]
        assert discount[first : first + length].tolist() == [0.5, 0.0, *[0.5] * (length - 2)]
    assert relabel(log, *NEAR) == 0
    assert "3 episodes scored by reward=task, 0 changed\n" in capsys.readouterr().out
    assert read_log(log).labels == 3
    assert {path.name: path.read_bytes() for path in log.glob("*.segment")} == before


def test_one_episode_may_be_scored_and_a_person_has_the_newest_word(log, capsys):
    assert relabel(log, "1", *NEAR) == 0
    assert "1 episodes scored by reward=task, 1 changed (label 1)" in capsys.readouterr().out
    relabel(log, "1", "--failure")
    assert [episode.success for episode in read_log(log).episodes] == [True, False, True]
    assert relabel(log, NEAR[2], "--reward", "task") == 0  # an override may stand before the option
    assert [episode.success for episode in read_log(log).episodes] == [True, True, True]


def test_the_tasks_own_outcome_takes_labels_back(log):
    relabel(log, "0", "--failure")
    assert [episode.success for episode in read_log(log).episodes] == [False, True, True]
    assert relabel(log, "--reward", "task") == 0
    assert [episode.success for episode in read_log(log).episodes] == [True, True, True]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["0"], "expected --success, --failure or --reward NAME, found none of them"),
        (["--success"], "expected a folder and an episode, found no episode"),
        (["x", "--success"], "episode: expected a whole number, found 'x'"),
        (["0", "--success", "--reward", "task"], "--reward: expected a number, found 'task'"),
        (["9", "--reward", "task"], "no episode 9"),
        (["--reward", "nothing"], "reward=nothing: no such option; reward is one of"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_leaves_no_label(log, words, reason, capsys):
    assert relabel(log, *words) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert not (log / "labels.log").exists()


def test_a_run_stands_for_its_practice_logs(tmp_path, capsys):
    for name in ("a", "b"):
        write_log(tmp_path / "run" / "log" / name, [4, 6], Phase.TRAIN)
    write_log(tmp_path / "run" / "demos", [4])
    for name in ("a", "b"):
        main(["relabel", str(tmp_path / "run" / "log" / name), "0", "--failure"])
    capsys.readouterr()
    assert main(["relabel", str(tmp_path / "run"), "--reward", "task"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split(", ")[1] for line in lines] == ["2 changed (label 4)", "2 changed (label 4)"]
    assert [episode.success for episode in read_log(tmp_path / "run" / "log" / "a").episodes] == [True, True]
    assert main(["relabel", str(tmp_path / "run"), "0", "--reward", "task"]) == 2
    assert "with an episode, found a run" in capsys.readouterr().err
