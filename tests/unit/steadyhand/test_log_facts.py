import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.log_facts import read_log
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.record import Phase
from tests.unit.steadyhand.synthetic_run import write_log


def test_counts_episodes_steps_and_help(tmp_path):
    write_log(tmp_path / "log", [4, 6], Phase.TRAIN, human_steps=2)
    facts = read_log(tmp_path / "log")
    assert [(episode.steps, episode.human_steps, episode.success) for episode in facts.episodes] == [
        (4, 2, True),
        (6, 2, True),
    ]
    assert {episode.phase for episode in facts.episodes} == {Phase.TRAIN}
    assert (facts.records, facts.steps, facts.successes) == (12, 10, 2)
    assert facts.intervention_share == pytest.approx(0.4)
    assert facts.disk_bytes > 0


def test_the_peak_force_of_each_episode(tmp_path):
    assert main(["record", "task=reach", "demo.demos=2", f"run_root={tmp_path}", "run_name=forces"]) == 0
    folder = tmp_path / "forces" / "demos"
    reader = LogReader(folder)
    wrench = reader.gather(np.arange(len(reader)), "observation/wrench")
    facts = read_log(folder)
    starts = np.cumsum([0, *(one.steps + 1 for one in facts.episodes)])
    for episode, first in zip(facts.episodes, starts, strict=False):
        forces = np.linalg.norm(wrench[first : first + episode.steps + 1, :3], axis=1)
        assert episode.peak_force_n == pytest.approx(float(forces.max()), rel=1e-5)


def test_an_empty_log_has_no_episode(tmp_path):
    write_log(tmp_path / "log", [])
    facts = read_log(tmp_path / "log")
    assert facts.episodes == ()
    assert facts.intervention_share == 0.0


def test_no_log_is_said(tmp_path):
    with pytest.raises(LogError, match="expected a log"):
        read_log(tmp_path)
