"""The learner of a run: it serves actors and trains until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from zmq import ZMQError

from steadyhand.actor.pause import pause
from steadyhand.demo_compat import action_gains, check_demos
from steadyhand.earlier.note import write_earlier
from steadyhand.earlier.taking import take_earlier
from steadyhand.exporters.exports import exports
from steadyhand.job import Job
from steadyhand.learner.device import resolve_device
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.learner.prior import PriorData
from steadyhand.learner_view import shown
from steadyhand.pipeline.relabelling import relabel_replaced
from steadyhand.prior import find_logs, prior_gains
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import new_run_id
from steadyhand.terminal import say
from steadyhand.training_settings import TrainingSettings
from steadyhand.transport.demo_set import is_demo_set, read_manifest, refuse_foreign
from steadyhand.transport.log_folder import is_finished
from steadyhand.transport.zmq_server import check_can_listen

__all__ = ["LEARNER", "Sources", "await_demos", "learn", "learner_settings"]

LOOK_NS = 200_000_000
LEARNER = "learner"  # name of this process in exported metrics
# The robot is at the actor. The learner's configuration need not name it: data, weights and actors do.
NO_ROBOT = {"robot": "", "joints": 0, "tool": "", "gripper": ""}


@dataclass(frozen=True)
class Sources:
    """Data in addition to the run's own demonstrations, and to the parts of an earlier run in the settings.

    Attributes:
        demos: More demo sets.
        logs: Practice logs of other runs, failures included: run folders, or logs in them.
    """

    demos: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()


def learn(job: Job, sources: Sources, await_own: bool, stop: Callable[[], bool]) -> None:
    """Serve actors and train until `stop`.

    Args:
        job: The run; its own demonstrations, if any, are used.
        sources: More data.
        await_own: Whether to wait first for the run's own demonstrations to be complete.
        stop: Returns True to end training; the result is kept.

    Raises:
        ConfigError: The addresses cannot be listened on.
        DemoSetError: A demo set does not belong to this run.
        PriorDataError: Data or weights of another run do not fit this one.
    """
    device = resolve_device(job.settings.learner.device)
    with _listening(job):
        check_can_listen(job.settings.transport)
    refuse_foreign(job.run.demos)
    check_demos(job, sources.demos)
    if await_own and not await_demos(job, stop):
        return
    folders = (*([job.run.demos] if is_demo_set(job.run.demos) else []), *sources.demos)
    check_demos(job, folders)
    logs = find_logs(sources.logs)
    taken = take_earlier(job)
    demos = Demonstrations(folders, action_gains(job, folders) | prior_gains(job, logs) | dict(taken.action_gains))
    run_id = job.run.run_id or new_run_id()
    identity = msgspec.structs.replace(job.identity, run_name=job.run.name, run_id=run_id, **NO_ROBOT)
    prior = PriorData(tuple(logs), taken.checkpoint, identity, taken.data)
    settings = job.settings
    with (
        exports(settings.logging, job.run, LEARNER, settings.composed) as sink,
        closing(Learner(learner_settings(settings), job.run, demos, prior=prior, sink=sink)) as learner,
    ):
        # The run's id is written before any actor adopts it, and after every reason to refuse the start.
        job.run.keep_run_id(run_id)
        job.write_manifest(compute_device=str(device))
        write_earlier(job.run.path, taken.facts)
        with _listening(job):
            server = learner.serve()
        relabel_replaced(job)
        say(f"learner: {job.run.path}, listening on {server.address}")
        with shown(job.settings.logging, learner.status):
            learner.run(stop)


def learner_settings(settings: TrainingSettings) -> LearnerSettings:
    """Return the part of the settings tree that a `Learner` reads."""
    return LearnerSettings(settings.learner, settings.algo, settings.policy, settings.transport, settings.seed)


@contextmanager
def _listening(job: Job) -> Iterator[None]:
    """Raise a ConfigError that names the settings of an address that cannot be bound."""
    try:
        yield
    except ZMQError as error:
        addresses = f"{job.settings.transport.address} and {job.settings.transport.weights_address}"
        raise ConfigError(
            f"transport.address and weights_address: cannot listen on {addresses} ({error}); `steadyhand doctor` says "
            "which is in use, or choose others"
        ) from error


def await_demos(job: Job, stop: Callable[[], bool]) -> bool:
    """Wait until the run has `demo.demos` demonstrations; return False if `stop` ended the wait."""
    say(f"learner: waiting for {job.settings.demo.demos} demonstrations in {job.run.demos}")
    while not stop():
        enough = is_demo_set(job.run.demos) and read_manifest(job.run.demos).successes >= job.settings.demo.demos
        if enough and is_finished(job.run.demos):
            return True
        pause(duration_ns=LOOK_NS)
    return False
