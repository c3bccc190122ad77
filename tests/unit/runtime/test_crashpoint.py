import re
import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.runtime.crashpoint import EXIT_STATUS, POINTS, VARIABLE, crashpoint

ROOT = Path(__file__).parents[3]
PACKAGES = ("runtime", "transport", "actor", "learner", "steadyhand")
CALL = re.compile(r"\bcrashpoint\(\"([^\"]+)\"\)")


def passages(value: str) -> subprocess.CompletedProcess:
    code = (
        "import signal\nfrom steadyhand.runtime.crashpoint import crashpoint\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell has it ignored
        "for n in range(3):\n"
        "    print(n, flush=True)\n    crashpoint('update.after')\n    crashpoint('update.before')\n"
    )
    environment = {VARIABLE: value, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)


def test_every_point_in_the_source_is_registered_and_the_other_way_round():
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = [name for path in files for name in CALL.findall(path.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(set(found))  # one place a name: a sweep must know where it was
    assert set(found) == set(POINTS)


def test_a_point_does_nothing_unless_it_is_named():
    crashpoint("update.before")
    done = passages("")
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])


@pytest.mark.parametrize(("value", "said"), [("update.after", ["0"]), ("update.before@2", ["0", "1"])])
def test_the_named_point_ends_the_process_at_once(value, said):
    done = passages(value)
    assert (done.returncode, done.stdout.split()) == (EXIT_STATUS, said)


def test_a_point_can_interrupt_instead_once():
    done = passages("update.before@2!")
    assert done.returncode in (-2, 130)
    assert done.stdout.split() == ["0", "1"]
    assert "interrupted here" in done.stderr


@pytest.mark.parametrize("value", ["update", "update.after@x", "update.after!x"])
def test_a_name_that_is_none_is_refused(value):
    done = passages(value)
    assert done.returncode == 1
    assert "expected <name> or <name>@<n> of a crash point" in done.stderr
