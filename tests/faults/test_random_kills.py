"""Actor and learner killed at random moments of one run on the mock robot: what is kept, and what is learnt."""

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor_id import host_actor_id
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.subprocesses import free_addresses
from tests.faults.scale import FULL
from tests.faults.witness import WITNESS, account, delivered

ROOT = Path(__file__).resolve().parents[2]
KILLS, LONGEST_S = (50, 20.0) if FULL else (4, 8.0)
EPISODES = 100 if FULL else 5
SEED = int(os.environ.get("STEADYHAND_FAULT_SEED", 0))
# Two small cameras: every frame has to arrive with its own record too. What learns from the vectors reads none of them.
SETTINGS = (
    "experiment=ros_demo",
    "camera=wrist_side",
    "camera.views.wrist.height=32",
    "camera.views.wrist.width=32",
    "camera.views.side.height=32",
    "camera.views.side.width=32",
    "logging.console=off",
    "actor.max_env_steps=1000000",
    "learner.checkpoint_period=500",
    f"demo.eval_episodes={EPISODES}",
)
SHORT = () if FULL else ("demo.demos=3", "learner.pretrain_updates=50")
PATIENCE_S = 180.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if FULL else 300)]


class Practice:
    """A run of the product's own verbs."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.run = RunFolder(folder, "run")
        addresses = zip(("address", "weights_address"), free_addresses(2), strict=True)
        self.words = [*SETTINGS, *SHORT, *settings, f"run_root={folder}", "run_name=run", f"seed={SEED}"]
        self.words += [f"transport.{name}={address}" for name, address in addresses]
        self.children: dict[str, subprocess.Popen] = {}

    def do(self, verb: str, *words: str) -> None:
        command = [sys.executable, "-m", "steadyhand", verb, *words, *self.words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, verb: str) -> None:
        command = [sys.executable, "-m", "tests.faults.witnessed_verb", str(self.run.path / WITNESS), verb, *self.words]
        with (self.run.path / f"{verb}.log").open("ab") as log:
            self.children[verb] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self, verb: str) -> None:
        self.children[verb].kill()
        assert self.children[verb].wait() == -9, self.tail()

    def end(self) -> None:
        for verb in ("act", "learn"):
            self.children[verb].terminate()
            assert self.children.pop(verb).wait(PATIENCE_S) in (0, 130), self.tail()

    def last(self) -> dict:
        rows = read_rows(self.run.actor(host_actor_id()).metrics)
        return rows[-1] if rows else {"env_steps": 0, "learner_epoch": -1, "learner_connected": False}

    def wait_for(self, what: str, condition) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.tail()}"
            dead = [verb for verb, child in self.children.items() if child.poll() is not None]
            assert not dead, f"{dead} ended by themselves\n{self.tail()}"
            time.sleep(0.1)  # noqa: TID251  the interval of polling

    def success(self) -> dict:
        self.do("eval", "--json", str(self.run.path / "judged.json"))
        return json.loads((self.run.path / "judged.json").read_text())

    def tail(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in self.run.path.glob("*.log"))

    def close(self) -> None:
        for child in self.children.values():
            child.kill()
            child.wait()


@pytest.fixture
def practice(tmp_path):
    made = []

    def practice(name: str, *settings: str) -> Practice:
        made.append(Practice(tmp_path / name, *settings))
        return made[-1]

    yield practice
    for one in made:
        one.close()


def test_a_run_survives_kills_at_any_moment(practice, record_property):
    killed = practice("killed", "device.pace=realtime")
    killed.do("record")
    rng, kills = np.random.default_rng(SEED), {"act": 0, "learn": 0}
    for verb in ("learn", "act"):
        killed.start(verb)
    while sum(kills.values()) < KILLS:
        time.sleep(rng.uniform(0.5, LONGEST_S))  # noqa: TID251  a kill comes at any moment
        verb = str(rng.choice(["act", "learn"]))
        killed.kill(verb)
        kills[verb] += 1
        killed.start(verb)
    epoch, steps = killed.last()["learner_epoch"], killed.last()["env_steps"]
    killed.wait_for(
        "weights of the newest learner", lambda: killed.last()["learner_epoch"] > epoch or not kills["learn"]
    )
    killed.wait_for("practice to go on", lambda: killed.last()["env_steps"] > steps + 100)
    killed.end()
    for _ in range(2):
        if not delivered(killed.run):  # on a busy machine the last records wait for another go
            for verb in ("learn", "act"):
                killed.start(verb)
            killed.wait_for("more practice", partial(more_steps_than, killed, killed.last()["env_steps"]))
            killed.end()
    found, steps = account(killed.run), killed.last()["env_steps"]
    record_property("kills", KILLS)
    record_property("records", found.records)
    record_property("lost_steps", found.lost_steps)
    assert found.lost_steps <= kills["act"]
    sys.stderr.write(f"{kills} kills, {found}, {steps} steps\n")
    if FULL:
        compare(killed, practice("undisturbed", f"actor.max_env_steps={steps}"), record_property)


def more_steps_than(practice: Practice, steps: int) -> bool:
    return practice.last()["env_steps"] > steps


def compare(killed: Practice, undisturbed: Practice, record_property) -> None:
    """The same steps of practice with nobody killed: the policies must be as good."""
    undisturbed.do("record")
    for verb in ("learn", "act"):
        undisturbed.start(verb)
    assert undisturbed.children["act"].wait(3000) == 0
    undisturbed.children["learn"].terminate()
    undisturbed.children.pop("learn").wait(PATIENCE_S)
    results = {"killed": killed.success(), "undisturbed": undisturbed.success()}
    for name, result in results.items():
        record_property(f"success_{name}", result["success_rate"])
        sys.stderr.write(f"{name}: {result['successes']} of {result['episodes']} episodes\n")
    assert results["killed"]["wilson_high"] >= results["undisturbed"]["success_rate"]
