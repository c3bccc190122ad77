"""A test file stays on one worker, and the files of a group on one; files with slow tests start first."""

import json
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

FILE = """
import json, os, time, pytest

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    time.sleep(0.02)
    with open({told!r}, "a") as file:
        file.write(json.dumps([__file__, os.environ["PYTEST_XDIST_WORKER"]]) + "\\n")
"""
GROUPED = (
    FILE
    + """
@pytest.mark.xdist_group("dds")
def test_over_dds():
    pass
"""
)

SLOW = FILE.replace("@pytest.mark.parametrize", "@pytest.mark.slow\n@pytest.mark.parametrize")


@pytest.fixture
def workers_of(pytester, monkeypatch, tmp_path):
    """Return the workers that ran the tests of each file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    told = tmp_path / "told.jsonl"

    def run(*arguments: str, **files: str) -> dict[str, set[str]]:
        pytester.makepyfile(**{name: text.format(told=str(told)) for name, text in files.items()})
        result = pytester.runpytest_subprocess("-p", "tests.workers", "-p", "no:cacheprovider", "-n", "2", *arguments)
        assert result.ret == pytest.ExitCode.OK
        found: dict[str, set[str]] = {}
        for line in told.read_text().splitlines():
            path, worker = json.loads(line)
            found.setdefault(Path(path).stem, set()).add(worker)
        return found  # in the order in which the files ended their first test

    return run


@pytest.mark.slow
def test_a_file_stays_on_one_worker_and_those_of_a_group_on_one(workers_of):
    files = {f"test_{name}": FILE for name in "abcd"} | {f"test_grouped_{name}": GROUPED for name in "abc"}
    found = workers_of("--dist", "loadfile", **files)
    assert set(found) == set(files)
    assert all(len(workers) == 1 for workers in found.values())
    grouped = set.union(*(found[name] for name in files if "grouped" in name))
    assert len(grouped) == 1
    assert len(set.union(*found.values())) == 2, "both workers had something to do"


@pytest.mark.slow
def test_other_distributions_are_left_as_they_are(workers_of):
    assert workers_of("--dist", "each", test_a=GROUPED) == {"test_a": {"gw0", "gw1"}}


@pytest.mark.slow
def test_files_with_slow_tests_start_first(workers_of):
    files = {f"test_{name}": FILE for name in "abcdef"} | {"test_y": SLOW, "test_z": SLOW}
    assert set(list(workers_of("--dist", "loadfile", **files))[:2]) == {"test_y", "test_z"}
