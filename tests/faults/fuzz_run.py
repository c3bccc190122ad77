"""Opens changed files in a process of its own, with a bound on its memory and on the time of each file.

`python -m tests.faults.fuzz_run <kind> <first seed> <files> <folder>` prints a line for each: seed, outcome, message.
"""

import contextlib
import faulthandler
import io
import logging
import os
import resource
import shutil
import signal
import sys
from pathlib import Path

from steadyhand.cli import _is_for_the_user
from tests.faults.fuzzed_files import KINDS, case, names_of

MEMORY_BYTES = 2 << 30  # beyond what the process has when all is imported and one good file was opened
CASE_S = 20


def late(*_: object) -> None:
    raise TimeoutError("hang")


def used_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def outcome(kind: str, path: Path, place: Path) -> tuple[str, str]:
    """Open a changed file; return `opened`, `refused`, or what is wrong, and the message."""
    signal.alarm(CASE_S)
    try:
        KINDS[kind].open(place)
    except Exception as error:
        line = str(error).strip()
        if isinstance(error, TimeoutError) and line == "hang":
            return "hang", ""
        if not _is_for_the_user(error):
            return "uncaught", f"{type(error).__name__}: {line[:200]!r}"
        if "\n" in line:
            return "lines", repr(line[:300])
        if not any(name in line for name in names_of(path, place)):
            return "nameless", line[:300]
        return "refused", line[:200]
    finally:
        signal.alarm(0)
    return "opened", ""


def main(kind: str, first: str, count: str, folder: str) -> None:
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGALRM, late)
    report = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with open(os.devnull, "w") as nothing:  # libraries such as ONNX Runtime write to the standard output themselves
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    root = Path(folder)
    (root / "good").mkdir()
    with contextlib.redirect_stdout(io.StringIO()):
        good = KINDS[kind].make(root / "good")
    inside = good.relative_to(root / "good")
    shutil.copytree(root / "good", root / "first")
    KINDS[kind].open(root / "first" / inside)
    faulthandler.enable()
    if kind != "serl":  # it opens files in a process of its own, with a smaller bound
        resource.setrlimit(resource.RLIMIT_AS, (used_bytes() + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEMORY_BYTES,) * 2)
    for seed in range(int(first), int(first) + int(count)):
        shutil.rmtree(root / "case", ignore_errors=True)
        shutil.copytree(root / "good", root / "case")
        place = root / "case" / inside
        report.write(f"{seed} ")
        report.flush()
        path = case(KINDS[kind], place, seed)
        report.write("\t".join(outcome(kind, path, place)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
