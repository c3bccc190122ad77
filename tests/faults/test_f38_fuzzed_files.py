"""F38: changed files of every kind that the product opens: each is read, quarantined, or refused in one line.

A process of its own opens them, with a bound on memory and time, so that a crash is seen. The line names the file.
STEADYHAND_FUZZED_FILES says how many files of each kind there are.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import fuzz_run
from tests.faults.fuzzed_files import KINDS, Kind
from tests.faults.scale import FULL

ROOT = Path(__file__).resolve().parents[2]
FILES = int(os.environ.get("STEADYHAND_FUZZED_FILES", 1_000 if FULL else 20))
FAST = ("log", "labels", "demo set", "checkpoint", "calibration", "run manifest", "epoch", "journal", "onnx", "policy")
SLOW_FILES = {"serl": 20, "configuration": 10}  # divisors: a process, or a composition, for each file
FINE = {"opened", "refused"}


@pytest.mark.slow
@pytest.mark.timeout(3500 if FULL else 240)
@pytest.mark.parametrize("kind", KINDS if FULL else FAST)
def test_changed_files_are_opened_or_refused_in_one_line(scratch, kind, record_property):
    files = max(1, FILES // SLOW_FILES.get(kind, 1))
    command = [sys.executable, "-m", "tests.faults.fuzz_run", kind, "0", str(files), str(scratch)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(scratch)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3400)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"seed {len(lines) - 1} ends the process: {lines[-1:]}\n{done.stderr[-2000:]}"
    wrong = [line for line in lines if line.split("\t")[0].split(" ")[1] not in FINE]
    assert wrong == []
    record_property("files", len(lines))
    assert len(lines) == files


def fail(path):
    raise KeyError("what no caller expects")


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        (fail, "uncaught"),
        (lambda path: (_ for _ in ()).throw(OSError("a line without a name")), "nameless"),
        (lambda path: (_ for _ in ()).throw(OSError(f"{path.name}\nand a second line")), "lines"),
        (lambda path: (_ for _ in ()).throw(OSError(f"{path}: refused")), "refused"),
        (lambda path: None, "opened"),
    ],
)
def test_the_search_finds_what_is_not_fine(tmp_path, monkeypatch, opens, expected):
    """The twin that must fail: an opener that lets something else out."""
    monkeypatch.setitem(KINDS, "epoch", Kind(lambda folder: folder, opens))
    assert fuzz_run.outcome("epoch", tmp_path / "file", tmp_path / "file")[0] == expected
