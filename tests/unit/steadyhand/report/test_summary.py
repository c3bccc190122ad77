import json
from dataclasses import replace

import pytest

from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.storage import FORMER_METRICS
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


def test_robot_time_with_the_resets_and_without(tmp_path):
    run = make_run(tmp_path)
    assert summarise(read_run(run))["robot_minutes"] is None  # of an earlier release: no row says how long a reset took
    path = run.metrics / FORMER_METRICS
    rows = [json.loads(line) | {"reset_s": 2.0} for line in path.read_text().splitlines()]
    rows[-1] |= {"robot_minutes": 2.0 * rows[-1]["control_minutes"]}
    for row in rows[-len(rows) // 20 :]:
        row["reset_s"] = 4.0
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    summary = summarise(read_run(run))
    assert summary["control_share"] == pytest.approx(0.5)
    assert summary["reset_p50_s"] == 2.0
    assert summary["reset_p99_s"] == 4.0


def test_successes_in_a_row_and_forces(tmp_path):
    rows = [
        {"success": success, "peak_force_n": force}
        for success, force in [(True, 4.0), (False, 50.0), (True, 6.0), (True, 8.0)]
    ]
    run = replace(read_run(make_run(tmp_path)), demo_peaks_n=[5.0, 7.0])
    run.evaluations["policy"] |= {"rows": rows}
    summary = summarise(run)
    assert summary["longest_success_run"] == 2
    assert summary["median_peak_force_n"] == 6.0  # a failure's force says nothing about how the task is done
    assert summary["demo_median_peak_force_n"] == 6.0


def test_the_required_rate_itself_passes_and_one_less_does_not(tmp_path):
    assert summarise(read_run(make_run(tmp_path, "enough", successes=190)))["passed"] is True
    assert summarise(read_run(make_run(tmp_path, "short", successes=189)))["passed"] is False


def test_a_run_without_anything(tmp_path):
    summary = summarise(read_run(RunFolder(tmp_path, "empty")))
    assert summary["success_rate"] is None
    assert summary["passed"] is None
    assert summary["true_utd"] is None
    assert summary["env_steps"] == 0
