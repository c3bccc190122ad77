"""The time from the start of the real processes of learner and actor to the first update and control step."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.measure import CLOCK, Plan, seconds
from benchmarks.row import Row, at_most, row
from benchmarks.runs import open_run, process_overrides, recorded_steps, wait_for
from steadyhand.subprocesses import Child, ending

__all__ = ["rows"]

AREA = "launch"
IMPORTS = "import torch, numpy, zmq, hydra, msgspec, safetensors, torch.utils.tensorboard"
JOURNAL = "journal.jsonl"
START_S, GRACE_S, ROUNDS = 180.0, 20.0, 3


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    found: dict[str, list[float]] = {"update": [], "step": [], "imports": []}
    pretrain = plan.pick(1000, 10)
    for _ in range(plan.pick(ROUNDS, 1)):
        update_s, step_s = _launch(plan.new_folder("launch"), pretrain)
        found["update"].append(update_s)
        found["step"].append(step_s)
        found["imports"].append(seconds(_import))
    first = {name: median(values) for name, values in found.items()}
    yield row(
        AREA,
        "launch to first update",
        first["update"],
        "s",
        bound=first["imports"],
        smaller_is_better=True,
        target=(at_most(10.0),),
        note="learner and actor started at the same time on demonstrations that are there; "
        "bound: a Python process that imports the same libraries and ends",
    )
    note = f"with {pretrain} gradient steps on the demonstrations before anything moves"
    yield row(AREA, "launch to first control step", first["step"], "s", note=note)


def _launch(folder: Path, pretrain: int) -> tuple[float, float]:
    """Return the times of the first update and of the first recorded step, in seconds from the start."""
    job = open_run(folder, (f"learner.pretrain_updates={pretrain}",), demos=2)
    overrides, path, journal = process_overrides(job), job.run.path, job.run.path / JOURNAL
    began_ns = CLOCK.now_ns()
    with (
        ending(Child("learn", overrides, path / "learner.log", threads=1), GRACE_S) as learner,
        ending(Child("act", overrides, path / "actor.log", threads=1), GRACE_S) as actor,
    ):
        both = (learner, actor)
        # A line is written before its block of steps, so the second line shows that the first block is done.
        wait_for(lambda: _lines(journal) >= 2, both, START_S, "a first update")
        updated_s = (CLOCK.now_ns() - began_ns) / 1e9
        wait_for(lambda: recorded_steps(job) > 0, both, START_S, "a first control step")
        stepped_s = (CLOCK.now_ns() - began_ns) / 1e9
    return updated_s, stepped_s


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _import() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
