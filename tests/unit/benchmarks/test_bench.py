import json

import pytest

from benchmarks import bench
from benchmarks.bench import AREAS, main, select, table
from benchmarks.row import at_least, not_measured, row

KEYS = {"area", "name", "value", "unit", "bound", "ratio", "target", "met", "note"}


@pytest.fixture
def areas(monkeypatch):
    found = {
        "fast": lambda plan: [row("fast", "a", 8.0, "1/s", bound=10.0, target=(at_least(9.0),), note="bare loop")],
        "slow": lambda plan: [not_measured("slow", "b", "ms", "no device")],
    }
    monkeypatch.setattr(bench, "AREAS", found)
    return found


def run(tmp_path, *arguments):
    return main([*arguments, "--results", str(tmp_path / "results"), "--work", str(tmp_path / "work")])


def written(tmp_path):
    return json.loads((tmp_path / "results" / "bench.json").read_text())


def test_every_area_is_chosen_without_a_name_and_only_those_that_are_named_with_one():
    assert select("") == list(AREAS)
    assert select(f"{list(AREAS)[-1]},{next(iter(AREAS))}") == [next(iter(AREAS)), list(AREAS)[-1]]


def test_an_unknown_area_is_one_line_that_names_the_others(capsys):
    with pytest.raises(SystemExit):
        main(["--areas", "lerner"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "found lerner" in said
    assert all(name in said for name in AREAS)


def test_the_machine_comes_first_and_every_row_is_printed_and_written(tmp_path, areas, capsys):
    assert run(tmp_path) == 0
    content = written(tmp_path)
    assert next(iter(content)) == "machine"
    assert [each.keys() == KEYS for each in content["rows"]] == [True, True]
    assert (content["rows"][0]["ratio"], content["rows"][0]["met"]) == (0.8, False)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == content["machine"]
    assert "0 of 1 targets met" in printed
    assert all(text in printed for text in ("MISSED", "80 %", "bare loop", "not measured", "no device"))


def test_rows_of_areas_that_are_left_out_stay(tmp_path, areas):
    run(tmp_path)
    areas["slow"] = lambda plan: [row("slow", "c", 1.0, "ms")]
    run(tmp_path, "--areas", "slow")
    assert [each["name"] for each in written(tmp_path)["rows"]] == ["a", "c"]


def test_rows_of_another_machine_or_of_a_quick_run_do_not_stay(tmp_path, areas, monkeypatch):
    run(tmp_path, "--quick")
    run(tmp_path, "--areas", "slow")
    assert [each["name"] for each in written(tmp_path)["rows"]] == ["b"]
    monkeypatch.setattr(bench, "machine_line", lambda: "another")
    run(tmp_path, "--areas", "fast")
    assert [each["name"] for each in written(tmp_path)["rows"]] == ["a"]


def test_an_area_that_fails_is_told_and_the_others_go_on(tmp_path, areas, capsys):
    def broken(plan):
        yield row("fast", "a", 1.0, "ms")
        raise OSError("no such device")

    areas["fast"] = broken
    assert run(tmp_path) == 1
    assert [each["name"] for each in written(tmp_path)["rows"]] == ["a", "failed", "b"]
    assert "fast: failed: no such device" in capsys.readouterr().out


def test_an_area_leaves_no_files_behind(tmp_path, areas):
    areas["fast"] = lambda plan: [row("fast", plan.new_folder("log").name, 1.0, "ms")]
    run(tmp_path)
    assert written(tmp_path)["rows"][0]["name"].startswith("log-")
    assert list((tmp_path / "work").glob("**/*")) == []


def test_the_table_has_one_line_a_row_and_every_note_once():
    rows = [row("a", "b", 1.0, "ms"), *(row("a", name, 2.0, "ms", note="why") for name in "cd")]
    lines = table(rows).splitlines()
    assert [line.split()[-1] for line in lines[2:5]] == ["-", "1", "1"]
    assert lines[5:] == ["", "1. why"]
