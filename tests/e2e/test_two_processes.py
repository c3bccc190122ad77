"""Actor and learner as processes over ZeroMQ, each killed without warning and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from tests.e2e.point_run import ACTOR_ID, free_ports, realtime_env, record

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0
MAX_ENV_STEPS = 100_000  # never reached: the actor is asked to end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class World:
    """A run folder, and the two processes that work on it."""

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder, "run")
        self.ports = free_ports()
        self.children: list[subprocess.Popen] = []
        record(self.run, realtime_env())

    def start(self, role: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.e2e.point_run", role, self.run.path, *self.ports, str(MAX_ENV_STEPS)]
        with (self.run.path / f"{role}.log").open("ab") as log:
            child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.children.append(child)
        return child

    def rows(self) -> list[dict]:
        return read_rows(self.run.actor(ACTOR_ID).metrics)

    def wait_for(self, what: str, condition) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.tail()}"
            assert all(child.poll() in (None, 0, -signal.SIGKILL) for child in self.children), self.tail()
            time.sleep(0.05)  # noqa: TID251  the interval of polling

    def tail(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in self.run.path.glob("*.log"))

    def log(self, folder: Path) -> np.ndarray:
        reader = LogReader(folder)
        return reader.read(0, len(reader))

    def sent(self) -> np.ndarray:
        (folder,) = self.run.actor(ACTOR_ID).outbox.iterdir()
        return self.log(folder)

    def stored(self) -> np.ndarray:
        (folder,) = self.run.log.iterdir()
        return self.log(folder)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    for child in world.children:
        if child.poll() is None:
            child.kill()
        child.wait()


def kill(child: subprocess.Popen) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


def test_both_survive_each_others_death(world):
    learner, actor = world.start("learner"), world.start("actor")
    world.wait_for("practice with learnt weights", lambda: any(row["policy_version"] > 1 for row in world.rows()))

    kill(learner)
    acknowledged = world.stored()
    world.wait_for("the actor to notice", lambda: not world.rows()[-1]["learner_connected"])
    alone_from = world.rows()[-1]["env_steps"]
    world.wait_for("the actor to go on alone", lambda: world.rows()[-1]["env_steps"] > alone_from + 40)
    learner = world.start("learner")
    world.wait_for("weights of the second start", lambda: world.rows()[-1]["learner_epoch"] == 1)
    assert world.stored()[: len(acknowledged)].tobytes() == acknowledged.tobytes()

    kill(actor)
    killed_at = len(world.sent())
    steps_at = world.rows()[-1]["env_steps"]
    actor = world.start("actor")
    world.wait_for("the actor to go on", lambda: world.rows()[-1]["env_steps"] > steps_at)

    for child in (actor, learner):
        child.send_signal(signal.SIGTERM)
        world.wait_for("an orderly end", lambda child=child: child.poll() == 0)
    sent, stored, rows = world.sent(), world.stored(), world.rows()
    assert len(sent) > killed_at
    assert stored.tobytes() == sent.tobytes()  # nothing lost, nothing twice, in order
    assert sent["seq"].tolist() == list(range(len(sent)))
    assert (sent["kind"] == Kind.STEP).sum() == rows[-1]["env_steps"]
    assert [row["episode_id"] for row in rows] == sorted({row["episode_id"] for row in rows})
    epochs = [row["learner_epoch"] for row in rows]
    assert epochs == sorted(epochs)
    assert list((world.run.checkpoints).glob("step-*"))
