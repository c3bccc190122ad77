"""Examples from a scripted expert and from an operator's keys, by the verb."""

import json
import threading

import pytest

from steadyhand.cli import main
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log import LogReader
from tests.reward_kit import REACH
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

SHORT = (*REACH, "task.drive.max_steps=30", "transport.segment_bytes=1000000", "run_name=ex")


def marks(folder):
    """Return the marks of each episode."""
    reader = LogReader(folder)
    columns = labelled_columns(reader)
    found = [columns.stage[episode.seen].tolist() for episode in columns.episodes()]
    reader.close()
    return found


def record(root, *words):
    return main(["reward", "record", *SHORT, f"run_root={root}", *words])


def test_a_scripted_expert_s_examples_are_marked_by_the_task(tmp_path, capsys):
    assert record(tmp_path, "episodes=3", "classifier.episode_positives=4", "classifier.wander_share=0.5") == 0
    found = marks(tmp_path / "ex" / "examples")
    assert sum(one.count(1) >= 4 for one in found) == 3
    assert all(one[0] == 0 for one in found)
    said = capsys.readouterr().out
    assert f"{len(found)} episodes, 3 of them with success" in said
    assert "next: steadyhand reward train" in said
    manifest = json.loads((tmp_path / "ex" / "examples" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["reward"]["entry_point"].endswith("open_ended:OpenEndedReward")


@pytest.mark.slow
def test_an_operator_s_key_marks_the_success_without_an_end_of_the_episode(tmp_path):
    terminal, done = Terminal(), threading.Event()
    device = ("device=keyboard", f"device.terminal={terminal.path}", "demo.dialogue.countdown_s=0", "episodes=1")

    def operate():
        wait_until(lambda: not terminal.shows_keys(), 60.0)
        terminal.type("\r")
        while not done.wait(0.3):
            terminal.type("y")

    operator = threading.Thread(target=operate)
    operator.start()
    try:
        assert record(tmp_path, *device, "classifier.episode_positives=5") == 0
    finally:
        done.set()
        operator.join(60.0)
        terminal.close()
    (found,) = marks(tmp_path / "ex" / "examples")
    assert found[0] == 0
    assert found.count(1) == 5
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["reward=task"], "expected no setting of the reward, found reward=task"),
        (["+reward.bonus=1"], "expected no setting of the reward, found +reward.bonus=1"),
        (["classifier.stages=[near,done]"], "expected the task's reward terms (reached) and the success"),
        (["classifier.stages=[]"], "stages: expected 1 to 9 different names"),
        (["classifier.episode_positives=0"], "episode_positives: expected at least 1"),
    ],
)
def test_wrong_words_are_one_line_and_leave_nothing_behind(tmp_path, capsys, words, reason):
    assert record(tmp_path, *words) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
