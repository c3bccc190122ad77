"""A run on the point environment, small enough to learn from in seconds: its settings, and both of its processes.

`python -m tests.e2e.point_run learner|actor <folder> <records port> <weights port> <max_env_steps> [<actor id> <seed>]`
"""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.console import NoConsole
from steadyhand.actor.demonstrations import record_demos
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.recording import RecordingConfig
from steadyhand.actor.session_log import Session, open_session
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor.training_summary import TrainingSummary
from steadyhand.actor_id import claimed_actor
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.learner.prior import PriorData
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import RunFolder, new_run_id
from steadyhand.subprocesses import free_addresses
from steadyhand.training_settings import compose_training_settings
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogReader
from steadyhand.transport.run_identity import Identity
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.settings_kit import shipped
from tests.unit.actor.point_env import Helper, PointEnv

ACTOR_ID, SEED = "point-1", 3
REALTIME_S = 0.01  # the control period where time goes on whether or not the learner keeps up, as on a robot
OVERRIDES = (
    "policy.hidden=[32]",
    "policy.obs_horizon=2",
    "algo.batch_size=32",
    "algo.critic_hidden=[32]",
    "learner.device=cpu",
    "learner.utd_ratio=2.0",
    "learner.slack=4.0",
    "learner.start_transitions=10",
    "learner.pretrain_updates=20",
    "learner.publish_period=10",
    "learner.log_period=10",
    "learner.checkpoint_period=40",
)
ACTOR = shipped(
    ActorConfig,
    "actor",
    max_env_steps=300,
    max_wall_s=100.0,
    graduation=None,
    drain_s=5.0,
    takeover_ramp_s=0.0,
    hand_back_ramp_s=0.0,
    learner_stall_s=None,
)


def realtime_env() -> PointEnv:
    return PointEnv(period_s=REALTIME_S, clock=MonotonicClock())


def helper() -> Helper:
    """Helps in the middle of every episode."""
    return Helper(lambda step: 5 <= step < 8)


def free_ports() -> list[str]:
    """Two ports of this machine, for records and for weights."""
    return [address.rpartition(":")[2] for address in free_addresses(2)]


def link(records_port: int = 0, weights_port: int = 0) -> TransportConfig:
    records, weights = (f"tcp://127.0.0.1:{port}" for port in (records_port, weights_port))
    return shipped(
        TransportConfig,
        "transport",
        address=records,
        weights_address=weights,
        heartbeat_s=0.3,
        liveness_heartbeats=6,
        window_records=64,
        max_frame_bytes=1 << 20,
        max_weights_bytes=1 << 20,
        backoff_min_s=0.05,
        backoff_max_s=0.3,
        linger_s=0.2,
        segment_bytes=256_000,
        sync_period_s=0.05,
        quota_bytes=1 << 24,
        min_free_bytes=0,
    )


def record(run: RunFolder, env: PointEnv) -> None:
    """Record a few demonstrations into the run's demo set."""
    config = RecordingConfig(5, 10, 256_000, ACTOR_ID, "helper", {"name": "point"}, AT_ONCE)
    record_demos(config, env, env_schema(env), Helper(), run.demos, SEED, StopFlag())


def make_learner(run: RunFolder, transport: TransportConfig, prior: PriorData = PriorData()) -> Learner:  # noqa: B008
    settings = compose_training_settings(OVERRIDES)
    learner = LearnerSettings(settings.learner, settings.algo, settings.policy, transport, SEED)
    return Learner(learner, run, Demonstrations([run.demos]), prior=prior)


def run_learner(run: RunFolder, transport: TransportConfig) -> None:
    prior = PriorData(identity=Identity(run.name, run.keep_run_id(run.run_id or new_run_id()), robot="point"))
    if run.read_manifest() is None:
        run.write_manifest({}, {})
    with StopFlag().on_signals() as stop, closing(make_learner(run, transport, prior)) as learner:
        learner.serve()
        learner.run(stop)


def run_actor(
    run: RunFolder, transport: TransportConfig, max_env_steps: int, actor_id: str = ACTOR_ID, seed: int = SEED
) -> TrainingSummary:
    env, config = realtime_env(), dataclasses.replace(ACTOR, max_env_steps=max_env_steps)
    schema, identity = env_schema(env), Identity(run.name, run.run_id, robot="point")
    with (
        claimed_actor(run, actor_id) as folder,
        closing_session(
            open_session(folder.outbox, schema, actor_id, transport.segment_bytes, False, identity)
        ) as session,
        StopFlag().on_signals() as stop,
        closing(LogReader(session.folder)) as reader,
        closing(ZmqUplink(transport, reader)) as uplink,
    ):

        def begin() -> None:
            run.keep_run_id(online.run_id)
            if run.read_manifest() is None:
                run.write_manifest({}, {})

        recording, hooks = Recording(uplink, session, folder.metrics), Hooks(stop, accepted=begin)
        online = OnlineRun(OnlineSettings(config, seed), env, helper(), recording, NoConsole(), hooks)
        return online.run()


@contextmanager
def closing_session(session: Session) -> Iterator[Session]:
    with closing(session.writer):
        yield session


def main(
    role: str,
    folder: str,
    records_port: str,
    weights_port: str,
    max_env_steps: str,
    actor_id: str = ACTOR_ID,
    seed: str = str(SEED),
) -> None:
    use_one_thread()
    setup("info")
    path = Path(folder)
    run, transport = RunFolder(path.parent, path.name), link(int(records_port), int(weights_port))
    if role == "learner":
        run_learner(run, transport)
    else:
        run_actor(run, transport, int(max_env_steps), actor_id, int(seed))


if __name__ == "__main__":
    main(*sys.argv[1:])
