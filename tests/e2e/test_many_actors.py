"""Three actors on one learner, as processes over ZeroMQ: each killed and started again, and one of another run."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.report.practice import practice_by_actor
from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.run_identity import read_identity
from tests.e2e.point_run import free_ports, realtime_env, record

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90.0
MAX_ENV_STEPS = 100_000  # never reached: the actors are asked to end
UTD_RATIO, SLACK = 2.0, 4.0  # as in point_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Cell:
    """The learner's run folder, which two actors share, and the folder of a third one on another machine."""

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder / "here", "run")
        self.elsewhere = RunFolder(folder / "there", "run")
        self.folders = {"left": self.run, "right": self.run, "far": self.elsewhere}
        self.ports = free_ports()
        self.children: dict[str, subprocess.Popen] = {}
        record(self.run, realtime_env())

    def start(self, name: str, run: RunFolder | None = None) -> subprocess.Popen:
        """Start the learner, or the actor of that name."""
        run = run or self.folders.get(name, self.run)
        role = "learner" if name == "learner" else "actor"
        words = [role, str(run.path), *self.ports, str(MAX_ENV_STEPS)]
        words += [] if role == "learner" else [name, str(len(name))]  # different names, different seeds
        with (run.path / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.e2e.point_run", *words]
            self.children[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        return self.children[name]

    def kill(self, name: str) -> None:
        os.kill(self.children[name].pid, signal.SIGKILL)
        self.children[name].wait()

    def rows(self, name: str) -> list[dict]:
        return read_rows(self.folders[name].actor(name).metrics)

    def sent(self, name: str) -> np.ndarray:
        (folder,) = self.folders[name].actor(name).outbox.iterdir()
        return log_in(folder)

    def stored(self) -> dict[str, np.ndarray]:
        found = {}
        for folder in self.run.log.iterdir():
            with closing(LogReader(folder)) as reader:
                assert reader.actor_id not in found
                found[reader.actor_id] = reader.read(0, len(reader))
        return found

    def wait_for(self, what: str, condition, may_end: tuple[str, ...] = ()) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.tail()}"
            for name, child in self.children.items():
                assert name in may_end or child.poll() in (None, 0, -signal.SIGKILL), self.tail()
            time.sleep(0.05)  # noqa: TID251  the interval of polling

    def tail(self) -> str:
        logs = [*self.run.path.glob("*.log"), *self.elsewhere.path.glob("*.log")]
        return "\n".join(f"{path}:\n{path.read_text()[-2000:]}" for path in logs)


def log_in(folder: Path) -> np.ndarray:
    with closing(LogReader(folder)) as reader:
        return reader.read(0, len(reader))


def steps_in(records: np.ndarray) -> int:
    return int((records["kind"] == Kind.STEP).sum())


@pytest.fixture
def cell(tmp_path):
    made = Cell(tmp_path)
    yield made
    for child in made.children.values():
        if child.poll() is None:
            child.kill()
        child.wait()


def test_three_actors_are_killed_and_counted_right_and_one_of_another_run_is_refused(cell, tmp_path):
    names = tuple(cell.folders)
    cell.start("learner")
    for name in names:
        cell.start(name)
    for name in names:
        cell.wait_for(f"{name} with learnt weights", lambda n=name: any(r["policy_version"] > 1 for r in cell.rows(n)))
    assert cell.elsewhere.run_id == cell.run.run_id != ""  # taken on from the learner

    for name in names:  # one after another, the learner in between
        reached = cell.rows(name)[-1]["env_steps"]
        cell.kill(name)
        if name == "right":
            cell.kill("learner")
            cell.start("learner")
        cell.start(name)
        cell.wait_for(f"{name} to go on", lambda n=name, r=reached: cell.rows(n)[-1]["env_steps"] > r + 40)
    cell.wait_for("the second learner", lambda: all(cell.rows(n)[-1]["learner_epoch"] == 1 for n in names))

    other = RunFolder(tmp_path / "other", "pegs")
    other.keep_run_id("ab" * 16)
    other.write_manifest({}, {})
    stranger = cell.start("stranger", other)
    cell.wait_for("the refusal", lambda: stranger.poll() is not None, may_end=("stranger",))
    del cell.children["stranger"]
    line = f"run: expected run ({cell.run.run_id[:8]}), found pegs (abababab)"
    assert line in (other.path / "stranger.log").read_text()
    assert [
        text for text in (cell.run.path / "learner.log").read_text().splitlines() if "stranger" in text and line in text
    ]

    for name in names:
        cell.children[name].send_signal(signal.SIGTERM)
    for name in names:
        cell.wait_for("an orderly end", lambda n=name: cell.children[n].poll() == 0)
    cell.children["learner"].send_signal(signal.SIGTERM)
    cell.wait_for("an orderly end of the learner", lambda: cell.children["learner"].poll() == 0)

    stored, total = cell.stored(), 0
    assert set(stored) == set(names)  # none of the stranger
    for name in names:
        sent, rows = cell.sent(name), cell.rows(name)
        assert stored[name].tobytes() == sent.tobytes()  # nothing lost, nothing twice, in order
        assert sent["seq"].tolist() == list(range(len(sent)))
        assert steps_in(sent) == rows[-1]["env_steps"] >= 40
        assert [row["episode_id"] for row in rows] == sorted({row["episode_id"] for row in rows})
        # The ratio that its console shows is the one of the run, not of this actor's steps alone.
        assert rows[-1]["transitions"] > 1.5 * rows[-1]["env_steps"]
        assert rows[-1]["utd_ratio"] <= UTD_RATIO + SLACK / rows[-1]["transitions"]
        total += rows[-1]["env_steps"]
    assert {read_identity(folder).robot for folder in cell.run.log.iterdir()} == {"point"}
    here = summarise(read_run(cell.run))
    assert {one["actor"]: one["env_steps"] for one in here["actors"]} == {
        name: rows[-1]["env_steps"] for name, rows in practice_by_actor(cell.run).items()
    }
    assert here["env_steps"] == total - cell.rows("far")[-1]["env_steps"]
    learning = read_rows(cell.run.metrics / "learner.jsonl")
    assert learning[-1]["transitions"] <= total
    assert learning[-1]["true_utd"] <= UTD_RATIO + SLACK / learning[-1]["transitions"]
