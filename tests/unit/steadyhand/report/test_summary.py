import pytest

from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.run_folder import RunFolder
from tests.unit.steadyhand.synthetic_run import make_run


def test_the_numbers_of_a_finished_run(tmp_path):
    run = read_run(make_run(tmp_path))
    summary = summarise(run)
    assert summary["success_rate"] == 0.975
    assert summary["wilson_low"] == pytest.approx(0.9428, abs=1e-4)
    assert summary["bc_success_rate"] == 0.82
    assert summary["passed"] is True
    assert summary["seed"] == 3
    assert summary["demos"] == 8
    assert summary["demo_median_cycle_time_s"] == pytest.approx(2.3)
    assert summary["env_steps"] == sum(row["steps"] for row in run.practice)
    assert summary["true_utd"] == pytest.approx(summary["gradient_updates"] / summary["env_steps"])
    assert summary["wall_time_s"] == pytest.approx(1589.4)
    assert summary["stops"]["evaluation"] == {"force": 1}
    newest = run.practice[-50:]
    share = sum(row["human_steps"] for row in newest) / sum(row["steps"] for row in newest)
    assert summary["intervention_share_last50"] == pytest.approx(share)
    assert {"git_commit", "host", "packages", "config", "device"} <= summary["provenance"].keys()


def test_the_required_rate_itself_passes_and_one_less_does_not(tmp_path):
    assert summarise(read_run(make_run(tmp_path, "enough", successes=190)))["passed"] is True
    assert summarise(read_run(make_run(tmp_path, "short", successes=189)))["passed"] is False


def test_a_run_without_anything(tmp_path):
    summary = summarise(read_run(RunFolder(tmp_path, "empty")))
    assert summary["success_rate"] is None
    assert summary["passed"] is None
    assert summary["true_utd"] is None
    assert summary["env_steps"] == 0
