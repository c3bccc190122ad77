"""F3: a learner that was killed goes on bit for bit, and its start takes no longer when the logs have grown."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from steadyhand.learner.learner import Learner
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.crashpoint import EXIT_STATUS, VARIABLE
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, record_dtype
from tests.faults.resume_run import LINK, SESSION, learner_settings, prepare
from tests.faults.scale import FULL
from tests.unit.learner.logs import SCHEMA, session_id

ROOT = Path(__file__).resolve().parents[2]
RECORDS = (10_000, 100_000, 1_000_000) if FULL else (3_000, 30_000)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 if FULL else 180)]


def train(folder: Path, steps: int, crash: str = "", prefetch: bool = False) -> int:
    when = "prefetch" if prefetch else "in turn"
    command = [sys.executable, "-m", "tests.faults.resume_run", str(folder), str(steps), when]
    environment = {VARIABLE: crash, "OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, EXIT_STATUS), done.stderr[-2000:]
    return done.returncode


@pytest.mark.parametrize("prefetch", [False, True])
def test_200_updates_at_one_go_equal_100_then_a_kill_and_100_more(tmp_path, prefetch):
    prepare(tmp_path / "straight" / "run")
    prepare(tmp_path / "killed" / "run")
    assert train(tmp_path / "straight" / "run", 200) == 0
    # A block is two updates. The 50th one dies with its work undone and the newest checkpoint a few blocks behind.
    assert train(tmp_path / "killed" / "run", 200, "update.after@50", prefetch) == EXIT_STATUS
    assert list((tmp_path / "killed" / "run" / "checkpoints").glob("step-*"))
    assert not (tmp_path / "killed" / "run" / "end.json").exists()
    assert train(tmp_path / "killed" / "run", 200, prefetch=prefetch) == 0
    ends = [tmp_path / name / "run" for name in ("straight", "killed")]
    straight, killed = (safetensors.numpy.load((end / "end.safetensors").read_bytes()) for end in ends)
    assert straight.keys() == killed.keys()
    assert {"generator", "made", "pace"} <= straight.keys()
    assert any(name.startswith("optimizer/") for name in straight)
    for name, value in straight.items():
        assert value.tobytes() == killed[name].tobytes(), name
    counters = [json.loads((end / "end.json").read_bytes()) for end in ends]
    assert counters[0]["updates"] == 200
    assert counters[0] == counters[1]


def test_another_seed_does_not_end_in_the_same_place(tmp_path):
    """The comparison must be able to fail."""
    for name, steps in (("one", 20), ("other", 22)):
        prepare(tmp_path / name / "run")
        train(tmp_path / name / "run", steps)
    one, other = (
        safetensors.numpy.load((tmp_path / name / "run" / "end.safetensors").read_bytes()) for name in ("one", "other")
    )
    assert any(one[name].tobytes() != other[name].tobytes() for name in one)


def fill(folder: Path, count: int) -> None:
    """Write a session with so many records in episodes of 100."""
    writer = LogWriter(folder / SESSION, SCHEMA, "arm", SESSION, LINK.segment_bytes)
    row = np.zeros((), record_dtype(SCHEMA))
    row["valid"] = True
    for seq in range(count):
        row["episode_id"], row["step_index"] = divmod(seq, 100)
        row["kind"] = Kind.FINAL if seq % 100 == 99 else Kind.STEP
        row["truncated"] = seq % 100 == 98
        writer.append(row)
    writer.close()


def start_s(run: RunFolder, stepped: bool) -> float:
    """Start a learner and make one block; return how long that took, until its block and without it."""
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    learner = Learner(learner_settings(checkpoint_period=1_000_000), run)
    assert learner.step() == stepped
    took_s = (clock.now_ns() - began_ns) / 1e9
    learner.close()
    return took_s


def test_a_start_is_as_fast_with_many_records_as_with_few(tmp_path, record_property):
    took = {}
    for count in RECORDS:
        run = RunFolder(tmp_path, f"run-{count}")
        fill(run.log, count)
        loaded_s = start_s(run, True)
        took[count] = min(start_s(run, True) for _ in range(3))
        record_property(f"resume_s_{count}", round(took[count], 3))
        record_property(f"load_s_{count}", round(loaded_s, 3))
        sys.stderr.write(
            f"F3: {count} records: {1e3 * took[count]:.0f} ms to resume, {1e3 * loaded_s:.0f} ms to load\n"
        )
    record_property("slowest_resume_s", round(max(took.values()), 3))
    fewest, most = took[RECORDS[0]], took[RECORDS[-1]]
    assert most < 3 * fewest + 0.3, took


def test_the_session_of_the_logs_is_the_one_that_is_written():
    assert session_id(1) == SESSION
