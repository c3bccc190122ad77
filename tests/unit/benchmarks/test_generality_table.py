import json

import numpy as np
import pytest

from benchmarks.generality import RESULTS
from benchmarks.generality_table import chance_window, kept_rows, worst_window, write_table


def row(task="drawer", arm="alone", seed=0, **values):
    given = {"machine": "a machine", "steps": [0, 2000], "success": [0.9, 1.0], "unassisted": 60, "worst_window": 0.8}
    return {"task": task, "arm": arm, "seed": seed, "human_share": 0.0} | given | values


def test_the_worst_window_is_the_lowest_of_all_stretches():
    assert worst_window([True] * 5 + [False] * 2 + [True] * 5, window=4) == 0.5
    assert worst_window([True] * 3, window=4) is None


@pytest.mark.parametrize(("rate", "episodes"), [(0.25, 20), (0.25, 200), (0.9, 100)])
def test_one_unchanged_policy_in_twenty_dips_below_its_chance(rate, episodes):
    chance, rng = chance_window(rate, episodes), np.random.default_rng(7)
    worst = [worst_window((rng.random(episodes) < rate).tolist()) for _ in range(400)]
    assert np.mean([value < chance for value in worst]) < 0.1
    assert np.mean([value <= chance for value in worst]) > 0.02


def test_a_policy_that_always_succeeds_never_dips_and_few_episodes_tell_nothing():
    assert chance_window(1.0, 50) == 1.0
    assert chance_window(0.5, 19) is None


def test_rows_of_other_tasks_stay_and_the_same_row_is_replaced(tmp_path):
    write_table(tmp_path, [row(), row(task="door", seed=1)], 100)
    new = row(success=[0.5, 0.6])
    rows = kept_rows(tmp_path, [new])
    assert rows == [new, row(task="door", seed=1)]
    text = write_table(tmp_path, rows, 100)
    assert json.loads((tmp_path / "generality.json").read_text())["rows"] == rows
    assert text in (tmp_path / "generality.md").read_text()


def test_a_line_has_the_curve_of_each_seed_and_the_worst_dip_beside_its_chance(tmp_path):
    rows = [row(), row(seed=1, steps=[0, 2000, 5000], success=[0.9, 0.8, 0.7], worst_window=0.5), row(arm="corrected")]
    line = next(line for line in write_table(tmp_path, rows, 100).splitlines() if line.startswith("drawer"))
    chance = round(100 * (chance_window(0.9, 60) - 0.9))
    assert line.split() == ["drawer", "alone", "90", "90", "100", "80", "70", "-40", f"{chance:+d}", "0", "%"]


def test_rows_are_added_to_the_results_that_are_published(tmp_path):
    for name in ("generality.json", "generality.md"):
        (tmp_path / name).write_bytes((RESULTS / name).read_bytes())
    published = kept_rows(RESULTS, [])
    text = write_table(tmp_path, kept_rows(tmp_path, [row(task="new")]), 100)
    assert len(kept_rows(tmp_path, [])) == len(published) + 1
    assert all(row["task"] in text for row in published)


def test_a_row_whose_episodes_were_not_counted_has_a_dip_without_a_chance(tmp_path):
    line = write_table(tmp_path, [row(unassisted=None)], 100).splitlines()[-1]
    assert line.split()[-4:] == ["-10", "-", "0", "%"]


def test_a_run_without_enough_episodes_has_no_dip(tmp_path):
    line = write_table(tmp_path, [row(worst_window=None, unassisted=3)], 100).splitlines()[-1]
    assert line.split()[-4:] == ["-", "-", "0", "%"]
