"""Start the learner: it keeps what actors send, trains on it and on demonstrations, and gives better weights back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from zmq import ZMQError

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor.waiting import pause
from steadyhand.children import end_with_parent
from steadyhand.demos import action_gains, check_demos
from steadyhand.job import Job, new_job
from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.device import resolve_device
from steadyhand.learner.learner import Learner
from steadyhand.learner.prior import PriorData
from steadyhand.learner_view import shown
from steadyhand.prior import check_actions, find_checkpoint, find_logs, prior_gains
from steadyhand.runtime.config import ConfigError, build
from steadyhand.runtime.run_folder import new_run_id
from steadyhand.runtime.run_lock import run_lock
from steadyhand.session import policy_config
from steadyhand.terminal import say
from steadyhand.transport.demo_set import is_demo_set, read_manifest, refuse_foreign
from steadyhand.transport.segment import is_finished
from steadyhand.transport.zmq_server import check_can_listen

LOOK_NS = 200_000_000
# The robot is beside the actor, and the configuration here need not name it: data, weights and actors tell it.
NO_ROBOT = {"robot": "", "joints": 0, "tool": "", "gripper": ""}

EPILOG = (
    "Demonstrations are the run's own, in its demos/, and those that --demos names. Ctrl-C saves a checkpoint and\n"
    "ends; the same command goes on from there, and takes the same --demos and --logs.\n"
    "example: steadyhand learn run_name=pegs learner.device=cuda"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take data and weights of other runs, or wait for demonstrations."""
    parser.add_argument(
        "--await-demos", action="store_true", help="wait until the run's own demonstrations are complete"
    )
    parser.add_argument("--demos", type=Path, metavar="FOLDER", action="append", default=[], help="another demo set")
    parser.add_argument(
        "--logs",
        type=Path,
        metavar="FOLDER",
        action="append",
        default=[],
        help="practice of another run, failures included: its run folder, or a log in it",
    )
    parser.add_argument(
        "--from",
        type=Path,
        metavar="FOLDER",
        dest="start_from",
        help="start with the weights of another run: its run folder, or a checkpoint in it",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Serve and train until somebody ends it."""
    end_with_parent()
    with new_job(overrides) as job, run_lock(job.run.path, "learner"), StopFlag().on_signals() as stop:
        return _learn(job, options, stop)


def _learn(job: Job, options: argparse.Namespace, stop: Callable[[], bool]) -> int:
    config = build(LearnerConfig, job.config["learner"], "learner")
    device = resolve_device(config.device)
    with _listening(job):
        check_can_listen(job.transport)
    refuse_foreign(job.run.demos)
    check_demos(job, options.demos)
    if options.await_demos and not _await_demos(job, stop):
        return 0
    demos = [*([job.run.demos] if is_demo_set(job.run.demos) else []), *options.demos]
    check_demos(job, demos)
    logs = find_logs(options.logs)
    gains = action_gains(job, demos) | prior_gains(job, logs)
    start_from = find_checkpoint(options.start_from)
    check_actions(job, start_from)
    run_id = job.run.run_id or new_run_id()
    identity = msgspec.structs.replace(job.identity, run_name=job.run.name, run_id=run_id, **NO_ROBOT)
    learner = Learner(
        config,
        find_algorithm(job.config["algo"]),
        policy_config(job),
        job.transport,
        job.run,
        job.seed,
        demos,
        action_gains=gains,
        prior=PriorData(tuple(logs), start_from, identity),
    )
    with closing(learner):
        # The id of the run is on the disk before an actor takes it on, and a start that was refused has made none.
        job.run.keep_run_id(run_id)
        job.write_manifest(compute_device=str(device))
        with _listening(job):
            server = learner.serve()
        say(f"learner: {job.run.path}, listening on {server.address}")
        with shown(job.logging, learner.status):
            learner.run(stop)
    return 0


@contextmanager
def _listening(job: Job) -> Iterator[None]:
    """Say of an address that cannot be had which settings give it."""
    try:
        yield
    except ZMQError as error:
        addresses = f"{job.transport.address} and {job.transport.weights_address}"
        raise ConfigError(
            f"transport.address and weights_address: cannot listen on {addresses} ({error}); `steadyhand doctor` says "
            "which is in use, or choose others"
        ) from error


def _await_demos(job: Job, stop: Callable[[], bool]) -> bool:
    """Return once the run has `demo.demos` demonstrations; False when somebody has ended the wait."""
    say(f"learner: waiting for {job.demo.demos} demonstrations in {job.run.demos}")
    while not stop():
        enough = is_demo_set(job.run.demos) and read_manifest(job.run.demos).successes >= job.demo.demos
        if enough and is_finished(job.run.demos):
            return True
        pause(duration_ns=LOOK_NS)
    return False
