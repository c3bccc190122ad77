import json

from benchmarks.generality_table import kept_rows
from benchmarks.tasks_table import FILE, write_table


def row(task="reach", arm="residual", seed=0, **values):
    given = {
        "machine": "a machine",
        "successes": 90,
        "episodes": 100,
        "cycle_s": 1.5,
        "peak_force_n": 20.0,
        "env_steps": 1000,
        "robot_minutes": 2.0,
        "practice_episodes": 50,
        "helped_episodes": 10,
        "human_steps": 50,
        "wall_time_s": 60.0,
    }
    return {"task": task, "arm": arm, "seed": seed} | given | values


def cells(text, arm):
    return next(line for line in text.splitlines() if line.startswith(f"reach  {arm}")).split()[2:]


def test_a_line_has_the_success_of_each_seed_and_the_interval_of_all(tmp_path):
    rows = [row(seed=1, successes=100, cycle_s=2.5, human_steps=150, robot_minutes=4.0), row()]
    found = cells(write_table(tmp_path, rows), "residual")
    interval = ["91.0", "to", "97.3"]  # of 190 of 200, by hand
    assert found == ["1,000", "90", "100", *interval, "3.0", "10", "100", "(10.0", "%)", "2.00", "20.0"]


def test_an_arm_without_practice_or_success_has_dashes(tmp_path):
    values = {"successes": 0, "cycle_s": None, "peak_force_n": None, "env_steps": 0, "human_steps": 0}
    found = cells(write_table(tmp_path, [row(arm="bc", robot_minutes=0.0, helped_episodes=0, **values)]), "bc")
    assert found == ["0", "0", "0.0", "to", "3.7", "0.0", "0", "0", "(0.0", "%)", "-", "-"]


def test_rows_of_other_runs_stay_and_the_same_row_is_replaced(tmp_path):
    write_table(tmp_path, [row(), row(arm="bc")])
    new = row(successes=95)
    rows = kept_rows(tmp_path, [new], FILE)
    text = write_table(tmp_path, rows)
    assert rows == [new, row(arm="bc")]
    assert json.loads((tmp_path / FILE).read_text())["rows"] == rows
    assert text in (tmp_path / "tasks.md").read_text()
