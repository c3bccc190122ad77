"""The learner of a run: it serves actors, and trains until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from zmq import ZMQError

from steadyhand.actor.waiting import pause
from steadyhand.demos import action_gains, check_demos
from steadyhand.job import Job
from steadyhand.learner.device import resolve_device
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.learner_view import shown
from steadyhand.runtime.config import ConfigError
from steadyhand.terminal import say
from steadyhand.training_settings import TrainingSettings
from steadyhand.transport.demo_set import is_demo_set, read_manifest, refuse_foreign
from steadyhand.transport.segment import is_finished
from steadyhand.transport.zmq_server import check_can_listen

__all__ = ["await_demos", "learn", "learner_settings"]

LOOK_NS = 200_000_000


def learn(job: Job, demos: Sequence[Path], await_own: bool, stop: Callable[[], bool]) -> None:
    """Serve actors and train, until `stop`.

    Args:
        job: The run, whose own demonstrations count where it has any.
        demos: More demo sets.
        await_own: Whether to wait first until the run's own demonstrations are complete.
        stop: Ends it; what was learnt is kept.

    Raises:
        ConfigError: The addresses cannot be listened on.
        DemoSetError: A demo set does not belong to this run.
    """
    device = resolve_device(job.settings.learner.device)
    with _listening(job):
        check_can_listen(job.settings.transport)
    refuse_foreign(job.run.demos)
    check_demos(job, demos)
    if await_own and not await_demos(job, stop):
        return
    folders = (*([job.run.demos] if is_demo_set(job.run.demos) else []), *demos)
    check_demos(job, folders)
    prior = Demonstrations(folders, action_gains(job, folders))
    with closing(Learner(learner_settings(job.settings), job.run, prior)) as learner:
        with _listening(job):
            server = learner.serve()
        job.write_manifest(compute_device=str(device))
        say(f"learner: {job.run.path}, listening on {server.address}")
        with shown(job.settings.logging, learner.status):
            learner.run(stop)


def learner_settings(settings: TrainingSettings) -> LearnerSettings:
    """Return the part of the tree that a `Learner` reads."""
    return LearnerSettings(settings.learner, settings.algo, settings.policy, settings.transport, settings.seed)


@contextmanager
def _listening(job: Job) -> Iterator[None]:
    """Say of an address that cannot be had which settings give it."""
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
