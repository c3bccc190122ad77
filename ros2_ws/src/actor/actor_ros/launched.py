"""The programs of the launch file, started without `launch`: the demo's processes, in their own namespace."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import yaml

from actor_ros.demo_operator import DemoOperator
from actor_ros.diagnostics import period_facts
from actor_ros.executables import ARGUMENTS, Program, learner_words, programs
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import Job, task_name
from steadyhand.report.records import loop_path
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.subprocesses import Child, ending, free_addresses
from steadyhand.supervise import watch
from steadyhand.terminal import say

__all__ = ["Launched"]

# Overrides that the nodes get by their own parameters.
OWN = ("robot=", "task=", "device=", "run_root=", "run_name=", "transport.")
TRIES = 20


class Launched:
    """The processes of robot, watchdog, actor and, if needed, learner, with a simulated operator beside the mock.

    Args:
        job: The run that they work on.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._namespace = f"/ros_demo_{secrets.token_hex(3)}"
        self._address = _free_address()
        self._folder = job.run.path / "ros"
        self._folder.mkdir(exist_ok=True)

    def run(self, work: str, stop: StopFlag, *more: str) -> None:
        """Start all processes, and end them when the actor has done its work.

        Args:
            work: Work of the actor.
            stop: Ends it early.
            more: Overrides for this work alone.

        Raises:
            ChildError: A process died, or none made progress.
            KeyboardInterrupt: `stop` was set.
        """
        given = {name: argument.default for name, argument in ARGUMENTS.items()} | {
            "namespace": self._namespace,
            "learner_address": self._address,
            "work": work,
            "run_name": self._job.run.name,
            "task": task_name(self._job.settings.composed),
        }
        overrides = tuple(word for word in (*self._job.overrides, *more) if not word.startswith(OWN))
        root = str(self._job.run.path.parent)
        with ExitStack() as stack:
            children = []
            words = learner_words(given, (f"run_root={root}", *overrides))
            threads = self._job.settings.learner.threads
            if words is not None:
                children.append(stack.enter_context(self._child("learner", words[1:], threads)))
            for program in programs(given, overrides, root):
                parameters = str(self._write_parameters(program))
                words = ["--ros-args", "--params-file", parameters, "-r", f"__ns:={self._namespace}"]
                children.append(stack.enter_context(self._child(program.node, words, 1, program.module)))
            bystander = stack.enter_context(_bystander(self._namespace))
            watch(self._job, children, f"while it should {work}", stop)
            if bystander.watchdog:
                facts = period_facts(bystander.watchdog)
                atomic_write_json(loop_path(self._job.run, f"{work}_watchdog"), facts)
            if bystander.stops:
                reasons = ", ".join(sorted(set(bystander.stops)))
                say(f"      stopped {len(bystander.stops)} times, and enabled again ({reasons})")
        if stop():
            raise KeyboardInterrupt

    def _write_parameters(self, program: Program) -> Path:
        """Write a program's parameters to a file for ROS, which keeps their types. The actor ends after its work."""
        file = self._folder / f"{program.node}.yaml"
        given = program.parameters | ({"once": True} if program.node == "actor" else {})
        values = {"/**": {"ros__parameters": given}}
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        return file

    @contextmanager
    def _child(self, name: str, words: Sequence[str], threads: int, module: str = "") -> Iterator[Child]:
        verb = "learn" if name == "learner" else name
        log = self._job.run.path / f"{name}.log"
        with ending(
            Child(verb, words, log, threads, name == "actor", None, module), self._job.settings.demo.grace_s
        ) as child:
            yield child


def _free_address() -> str:
    """Return an address with a free port whose next port is also free, for the weights."""
    for _ in range(TRIES):
        address = free_addresses(1)[0]
        with socket.socket() as beside, suppress(OSError):
            beside.bind(("127.0.0.1", int(address.rpartition(":")[2]) + 1))
            return address
    raise ConfigError("learner_address: found no two free ports in a row; give one with learner_address")


@contextmanager
def _bystander(namespace: str) -> Iterator[DemoOperator]:
    bystander = DemoOperator(namespace)
    try:
        yield bystander
    finally:
        bystander.close()
