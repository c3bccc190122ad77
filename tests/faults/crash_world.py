"""One run that is killed again and again, and the account of what it has kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.runtime.crashpoint import EXIT_STATUS, VARIABLE
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.subprocesses import free_addresses
from tests.e2e.point_run import ACTOR_ID, record
from tests.faults.crash_run import NeverTheSameEnv
from tests.faults.scale import FULL
from tests.faults.witness import Account, account, delivered

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 300.0 if FULL else 90.0  # a busy disk takes seconds for a sync


class CrashWorld:
    """A run folder, and the learner and the actor that work on it."""

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder, "run")
        self.ports = [address.rpartition(":")[2] for address in free_addresses(2)]
        self.kills = {"actor": 0, "learner": 0}
        self.children: dict[str, subprocess.Popen] = {}
        record(self.run, NeverTheSameEnv())

    def start(self, role: str, crash: str = "") -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.faults.crash_run", role, str(self.run.path), *self.ports]
        environment = {**os.environ, VARIABLE: crash}
        with (self.run.path / f"{role}.log").open("ab") as log:
            child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        self.children[role] = child
        return child

    def crash_at(self, role: str, point: str) -> None:
        """Start `role`, which must die at `point`."""
        child = self.start(role, point)
        self.wait_for(f"{role} to die at {point}", lambda: child.poll() is not None)
        assert child.returncode == EXIT_STATUS, f"{point}: status {child.returncode}\n{self.tail()}"
        self.kills[role] += 1

    def kill(self, role: str) -> None:
        self.children[role].kill()
        self.children[role].wait()
        self.kills[role] += 1

    def end(self) -> None:
        """Let both do something, and end them as a person would.

        On a busy machine the last records may wait in the log for another go.
        """
        for _ in range(3):
            self._end_once()
            if delivered(self.run):
                return

    def _end_once(self) -> None:
        steps, epoch, fresh = self.env_steps(), self.epoch(), False
        for role in ("learner", "actor"):
            if role not in self.children or self.children[role].poll() is not None:
                self.start(role)
                fresh = fresh or role == "learner"
        self.wait_for("weights of the newest learner", lambda: self.epoch() >= epoch + fresh)
        self.wait_for("practice to go on", lambda: self.env_steps() > steps + 30 and self.connected())
        for role in ("actor", "learner"):
            self.children[role].send_signal(signal.SIGTERM)
            assert self.children.pop(role).wait(DEADLINE_S) == 0, self.tail()

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.tail()}"
            dead = [role for role, child in self.children.items() if child.poll() not in (None, EXIT_STATUS, -9)]
            assert not dead, f"{dead} ended by themselves\n{self.tail()}"
            time.sleep(0.02)  # noqa: TID251  the interval of polling

    def close(self) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.kill()
            child.wait()

    def rows(self) -> list[dict]:
        return read_rows(self.run.actor(ACTOR_ID).metrics)

    def env_steps(self) -> int:
        return self.rows()[-1]["env_steps"] if self.rows() else 0

    def epoch(self) -> int:
        return self.rows()[-1]["learner_epoch"] if self.rows() else -1

    def connected(self) -> bool:
        return bool(self.rows()) and self.rows()[-1]["learner_connected"]

    def tail(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in self.run.path.glob("*.log"))

    def account(self) -> Account:
        return account(self.run)
