"""`make ros-demo`: the whole way with the mock robot behind ROS 2, in real time, every part a process of its own.

What moves the robot goes over DDS: demonstrations, practice, evaluation. It starts what the launch file starts, with
the same parameters. The baseline is fitted and judged, and the film made, on the same mock without ROS.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import yaml

from actor.evaluate import Evaluation
from actor.policy_runner import use_one_thread
from actor.stop_flag import StopFlag
from actor_ros.bystander import Bystander
from actor_ros.executables import ARGUMENTS, Program, learner_words, programs
from learner.config import LearnerConfig
from learner.device import resolve_device
from learner.saved_policy import SavedPolicy
from robot_envs.robot import RobotError
from runtime.config import ConfigError, build
from runtime.run_folder import RunFolderError
from steadyhand.children import Child, ChildError, ending, free_addresses
from steadyhand.commands.demo import RobotWork, run_stages
from steadyhand.job import Job, open_job
from steadyhand.practice import watch
from steadyhand.report.records import evaluation_path
from steadyhand.terminal import say
from transport.demo_set import read_manifest

EXPERIMENT = "experiment=ros_demo"
PACKAGE = Path(__file__).resolve().parent.parent
# What the nodes are told by their own parameters.
OWN = ("robot=", "task=", "device=", "run_root=", "run_name=", "transport.")
TRIES = 20


def main(words: Sequence[str] | None = None) -> int:
    """Run every stage; return 0 only for a policy that is good enough."""
    use_one_thread()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    path = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    try:
        job = open_job([EXPERIMENT, *(sys.argv[1:] if words is None else words)])
        device = resolve_device(build(LearnerConfig, job.config["learner"], "learner").device)
        job.write_manifest(compute_device=str(device))
        say(f"ros-demo: {job.run.path}, learning on {device}")
        with StopFlag().on_signals() as stop:
            cell = _Cell(job)
            passed = run_stages(job, stop, RobotWork(cell.demonstrate, cell.practise, cell.judge))
    except (ChildError, ConfigError, RunFolderError, RobotError) as error:
        sys.stderr.write(f"ros-demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    for work in ("demonstrate", "practise", "evaluate"):
        say(f"loop while it should {work}: {_times(job, work)}")
    say(f"\nreport: {job.run.path / 'report.html'}")
    return 0 if passed else 1


class _Cell:
    """The processes, in a namespace of this demo's own."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._namespace = f"/ros_demo_{secrets.token_hex(3)}"
        self._address = _free_address()
        self._folder = job.run.path / "ros"
        self._folder.mkdir(exist_ok=True)

    def demonstrate(self, job: Job, stop: StopFlag) -> str:
        """The stand-in shows the task through the actor node."""
        self._run("demonstrate", stop)
        manifest = read_manifest(job.run.demos)
        return f"{manifest.successes} successes in {manifest.episodes} attempts, {manifest.steps} steps"

    def practise(self, job: Job, stop: StopFlag) -> None:
        """Actor node and learner train."""
        self._run("practise", stop)

    def judge(self, job: Job, policy: SavedPolicy, stop: StopFlag) -> Evaluation:
        """The actor node evaluates the run's policy."""
        self._run("evaluate", stop)
        values = json.loads(evaluation_path(job.run, "policy").read_text(encoding="utf-8"))
        return Evaluation(**{**values, "rows": tuple(values["rows"])})

    def _run(self, work: str, stop: StopFlag) -> None:
        given = {name: argument.default for name, argument in ARGUMENTS.items()} | {
            "namespace": self._namespace,
            "learner_address": self._address,
            "work": work,
            "run_name": self._job.run.name,
            "task": str(self._job.config["task"]["entry_point"]).partition(":")[0].rpartition(".")[2],
        }
        overrides = tuple(word for word in self._job.overrides if not word.startswith(OWN))
        root = str(self._job.run.path.parent)
        with ExitStack() as stack:
            children = []
            words = learner_words(given, (f"run_root={root}", *overrides))
            threads = build(LearnerConfig, self._job.config["learner"], "learner").threads
            if words is not None:
                children.append(stack.enter_context(self._child("learner", words[1:], threads)))
            for program in programs(given, overrides, root):
                parameters = str(self._write_parameters(program))
                words = ["--ros-args", "--params-file", parameters, "-r", f"__ns:={self._namespace}"]
                children.append(stack.enter_context(self._child(program.node, words, 1, program.module)))
            bystander = stack.enter_context(_bystander(self._namespace))
            watch(self._job, children, f"while it should {work}", stop)
            if bystander.stops:
                reasons = ", ".join(sorted(set(bystander.stops)))
                say(f"      stopped {len(bystander.stops)} times, and enabled again ({reasons})")
        if stop():
            raise KeyboardInterrupt

    def _write_parameters(self, program: Program) -> Path:
        """The parameters as ROS reads them from a file, which keeps their types; the actor ends with its work."""
        file = self._folder / f"{program.node}.yaml"
        given = program.parameters | ({"once": True} if program.node == "actor" else {})
        values = {"/**": {"ros__parameters": given}}
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        return file

    @contextmanager
    def _child(self, name: str, words: Sequence[str], threads: int, module: str = "") -> Iterator[Child]:
        verb = "learn" if name == "learner" else name
        log = self._job.run.path / f"{name}.log"
        with ending(Child(verb, words, log, threads, name == "actor", None, module), self._job.demo.grace_s) as child:
            yield child


def _free_address() -> str:
    """An address with a free port, and another one after it for the weights."""
    for _ in range(TRIES):
        address = free_addresses(1)[0]
        with socket.socket() as beside, suppress(OSError):
            beside.bind(("127.0.0.1", int(address.rpartition(":")[2]) + 1))
            return address
    raise ConfigError("learner_address: found no two free ports in a row; give one with learner_address")


@contextmanager
def _bystander(namespace: str) -> Iterator[Bystander]:
    bystander = Bystander(namespace)
    try:
        yield bystander
    finally:
        bystander.close()


def _times(job: Job, work: str) -> str:
    t = json.loads((job.run.path / f"loop_{work}.json").read_text(encoding="utf-8"))
    return (
        f"period p50 {t['p50_ms']:.1f} ms, p99 {t['p99_ms']:.1f} ms, max {t['max_ms']:.1f} ms; "
        f"{t['missed']} of {t['periods']} periods missed, {t['bursts']} catch-up bursts"
    )


if __name__ == "__main__":
    sys.exit(main())
