import json
from pathlib import Path

import pytest

from benchmarks import faults
from benchmarks.fault_rows import ROWS, FaultRow
from benchmarks.faults import main, matrix_text, read_report, select

ROOT = Path(__file__).resolve().parents[3]
ROW = FaultRow("F99", "a fault", "hold", ("tests/x.py",), "stop_periods", "periods to stop")


def report(*cases: str) -> str:
    return f'<?xml version="1.0"?><testsuites><testsuite>{"".join(cases)}</testsuite></testsuites>'


def case(name: str, inner: str = "", **properties) -> str:
    values = "".join(f'<property name="{key}" value="{value}"/>' for key, value in properties.items())
    return f'<testcase classname="x" name="{name}"><properties>{values}</properties>{inner}</testcase>'


def test_a_row_whose_tests_pass_gives_the_worst_figure():
    result = read_report(ROW, report(case("a", stop_periods=1), case("b", stop_periods=2.0, other=9), case("c")))
    assert (result.passed, result.figure, result.behaviour, result.why_not_run) == (True, 2.0, "hold", "")
    assert result.median == 1.5


def test_one_test_that_fails_fails_the_row_and_says_so():
    broken = '<failure message="assert 5 &lt; 2&#10;more">trace</failure>'
    result = read_report(ROW, report(case("a", stop_periods=1), case("b", broken)))
    assert result.passed is False
    assert result.behaviour == "1 of 2 tests fail, b: assert 5 < 2"


def test_an_error_in_a_fixture_fails_the_row():
    assert read_report(ROW, report(case("a", '<error message="no such fixture"/>'))).passed is False


@pytest.mark.parametrize(
    ("cases", "reason"),
    [((), "its tests were left out on this machine"), ((case("a", '<skipped message="needs X"/>'),), "needs X")],
)
def test_a_row_of_which_nothing_ran_has_not_passed_and_says_why(cases, reason):
    result = read_report(ROW, report(*cases))
    assert (result.passed, result.why_not_run) == (None, reason)


def test_a_row_without_a_figure_of_its_own_counts_its_tests():
    row = FaultRow("F99", "a fault", "hold", ("tests/x.py",))
    assert read_report(row, report(case("a"), case("b"))).figure == 2


def test_figures_can_be_added_up():
    row = FaultRow("F99", "a fault", "hold", ("tests/x.py",), "operations", "operations", "sum")
    assert read_report(row, report(case("a", operations=3), case("b", operations=4))).figure == 7


def test_the_matrix_has_every_row_once_and_every_row_a_test_that_exists_or_a_reason():
    assert [row.id for row in ROWS] == [f"F{number}" for number in range(1, 39)]
    for row in ROWS:
        assert bool(row.tests) != bool(row.why_not_run), row.id
        assert all((ROOT / test.partition("::")[0]).is_file() for test in row.tests), row.id


def test_every_fault_test_is_in_the_matrix():
    listed = {test.partition("::")[0] for row in ROWS for test in row.tests}
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "faults").glob("test_f*.py")}
    assert files <= listed


def test_a_node_in_the_matrix_is_a_test_of_its_file():
    for row in ROWS:
        for path, _, name in (test.partition("::") for test in row.tests):
            assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_an_unknown_row_is_one_line(capsys):
    with pytest.raises(ValueError, match="F1 to F38, found F77"):
        select("F3,F77")
    with pytest.raises(SystemExit):
        main(["--rows", "F77"])
    assert "F77" in capsys.readouterr().err


@pytest.mark.parametrize(("body", "status"), [("assert True", 0), ("assert 1 == 2", 1)])
def test_a_real_row_is_run_printed_and_written(tmp_path, monkeypatch, capsys, body, status):
    test = tmp_path / "test_it.py"
    test.write_text(f"def test_it(record_property):\n    record_property('stop_periods', 1)\n    {body}\n")
    rows = (
        FaultRow("F1", "a fault", "hold", (str(test),), "stop_periods", "periods"),
        FaultRow("F2", "b", "c", (), why_not_run="no arm"),
    )
    monkeypatch.setattr(faults, "ROWS", rows)
    assert main(["--fast", "--results", str(tmp_path / "faults.json")]) == status
    first, second = json.loads((tmp_path / "faults.json").read_text())["rows"]
    assert first.keys() == {"id", "fault", "behaviour", "figure", "median", "unit", "pass", "why_not_run", "measured"}
    assert (first["pass"], first["figure"]) == (status == 0, 1.0)
    assert first["measured"] == {"stop_periods": {"count": 1, "min": 1.0, "median": 1.0, "max": 1.0}}
    assert (second["pass"], second["why_not_run"]) == (None, "no arm")
    printed, failure = capsys.readouterr()
    assert "no arm" in printed
    assert ("FAIL" in printed) == bool(status)
    assert (">       assert 1 == 2" in failure) == bool(status)  # where it was, and what led there


def test_rows_that_are_left_out_stay_and_a_file_of_another_machine_is_not_touched(tmp_path, monkeypatch, capsys):
    rows = tuple(FaultRow(name, name, "c", (), why_not_run="no arm") for name in ("F1", "F2"))
    monkeypatch.setattr(faults, "ROWS", rows)
    path = tmp_path / "faults.json"
    for row in ("F1", "F2"):
        assert main(["--rows", row, "--results", str(path), "--fast"]) == 0
    assert [row["id"] for row in json.loads(path.read_text())["rows"]] == ["F1", "F2"]
    before = path.read_bytes()
    with pytest.raises(SystemExit):
        main(["--rows", "F2", "--results", str(path)])  # thorough, unlike the file
    assert "with --results" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main(["--results", str(path)]) == 0  # all rows make a file anew


def test_the_table_is_one_line_a_row():
    results = [read_report(ROW, report(case("a", stop_periods=1)))]
    assert len(matrix_text(results).splitlines()) == 3
