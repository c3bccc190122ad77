import json

from steadyhand.report.records import read_run
from tests.unit.steadyhand.synthetic_run import add_pictures, make_run


def test_reads_what_a_run_has_left(tmp_path):
    folder = make_run(tmp_path)
    add_pictures(folder)
    run = read_run(folder)
    assert len(run.practice) == 420
    assert sorted(run.evaluations) == ["bc", "policy"]
    assert sorted(run.pictures) == ["film", "view_side"]
    assert [round(seconds, 1) for seconds in run.demo_cycles_s] == [1.8, 2.2, 2.5, 1.7, 3.0, 2.1, 2.6, 2.4]


def test_a_row_cut_short_and_values_that_are_not_finite_are_left_out(tmp_path):
    run = read_run(make_run(tmp_path))
    assert all("entropy" in row for row in run.learning)  # the half row at the end is not there
    assert sum("q_mean" not in row for row in run.learning) == 1


def test_evaluation_rows_among_the_practice_do_not_count(tmp_path):
    folder = make_run(tmp_path)
    with (folder.metrics / "actor.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"phase": 2, "success": True}) + "\n")
    assert len(read_run(folder).practice) == 420
