import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.log_facts import read_log
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
