import json

import pytest

from benchmarks.fleet import Fleet, main


def fleet(**changes):
    given = {"robots": 10, "rate_hz": 10.0, "seconds": 60.0, "frames": True, "late": 2, "killed": 2, "per_process": 4}
    return Fleet(**(given | {"alone_s": 1.0, "seed": 0} | changes))


def test_robots_have_different_rates_around_the_given_one_and_a_few_join_late():
    parts = fleet(robots=12).parts()
    assert {part.rate_hz for part in parts} == {5.0, 10.0, 15.0}
    assert sum(part.rate_hz for part in parts) == 12 * 10.0
    assert [part.number for part in parts if part.join_s > 0.0] == [8, 9]
    assert all(6.0 <= part.join_s <= 24.0 for part in parts[8:10])


def test_a_robot_that_is_killed_has_a_process_of_its_own():
    assert [len(group) for group in fleet().processes()] == [4, 4, 1, 1]
    assert [part.number for group in fleet().processes() for part in group] == list(range(10))


@pytest.mark.parametrize("words", [["--robots", "3"], ["--robots", "0", "--late", "0", "--killed", "0"]])
def test_a_fleet_that_cannot_be_is_one_line_and_leaves_nothing(tmp_path, capsys, words):
    with pytest.raises(SystemExit):
        main([*words, "--results", str(tmp_path / "results"), "--work", str(tmp_path / "work")])
    assert "--robots: expected" in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_small_fleet_with_a_kill_is_measured_and_written(tmp_path):
    words = ["--robots", "3", "--late", "0", "--killed", "1", "--per-process", "2", "--seconds", "3", "--alone", "0.5"]
    words += ["--no-frames", "--ceiling", "", "--note", "beside tests"]
    assert main([*words, "--results", str(tmp_path / "results"), "--work", str(tmp_path / "work")]) == 0
    content = json.loads((tmp_path / "results" / "fleet.json").read_text())
    (row,) = content["rows"]
    assert (row["lost"], row["doubled"], row["out_of_order"], row["wrong"]) == (0, 0, 0, 0)
    assert row["sent"] == row["stored"] == sum(actor["sent"] for actor in row["actors"]) > 10
    assert [actor["killed"] for actor in row["actors"]] == [False, False, True]
    assert row["durable_p50_ms"] >= row["acknowledged_p50_ms"] > 0.0
    assert row["learner_start"]["threads"] > 1
    assert list((tmp_path / "work").iterdir()) == []
    assert "beside tests" in (tmp_path / "results" / "fleet.md").read_text()
