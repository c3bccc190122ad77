"""Actor and learner as processes that die where the environment says, beside a robot that writes its own account.

`python -m tests.faults.crash_run learner|actor <folder> <records port> <weights port>`
"""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from gymnasium import spaces

from steadyhand.actor.console import NoConsole
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.session_log import Session, open_session
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogReader
from steadyhand.transport.schema import Schema
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.e2e.point_run import ACTOR, ACTOR_ID, REALTIME_S, SEED, helper, link, run_learner
from tests.faults.witness import WITNESS, Witness
from tests.unit.actor.point_env import PointEnv

ENDLESS = 1_000_000  # steps, seconds; never reached


def small_link(*ports: int) -> TransportConfig:
    """Return a link whose logs begin a new segment every 30 records or so."""
    return dataclasses.replace(link(*ports), segment_bytes=8192 + 30 * 150, sync_period_s=0.02)


class NeverTheSameEnv(PointEnv):
    """Shows something new at every look."""

    def __init__(self) -> None:
        super().__init__(period_s=REALTIME_S, clock=MonotonicClock())
        self.observation_space = spaces.Dict(
            {"nonce": spaces.Box(-1.0, 1.0, (4,), np.float32), **self.observation_space.spaces}
        )
        self.field_specs["nonce"] = ("1", "", ())
        self._nonces = np.random.default_rng()

    def _observe(self):
        return {"nonce": self._nonces.uniform(-1, 1, 4).astype(np.float32), **super()._observe()}


@contextmanager
def closing_session(run: RunFolder, schema: Schema, transport: TransportConfig) -> Iterator[Session]:
    session = open_session(run.actor(ACTOR_ID).outbox, schema, ACTOR_ID, transport.segment_bytes, trim=True)
    with closing(session.writer):
        yield session


def run_actor(run: RunFolder, transport: TransportConfig) -> None:
    env, config = (
        Witness(NeverTheSameEnv(), run.path / WITNESS),
        dataclasses.replace(ACTOR, max_env_steps=ENDLESS, max_wall_s=ENDLESS),
    )
    schema = env_schema(env)
    with (
        StopFlag().on_signals() as stop,
        closing_session(run, schema, transport) as session,
        closing(LogReader(session.folder)) as reader,
        closing(ZmqUplink(transport, reader)) as uplink,
    ):
        recording = Recording(uplink, session, run.actor(ACTOR_ID).metrics)
        OnlineRun(OnlineSettings(config, SEED), env, helper(), recording, NoConsole(), Hooks(stop)).run()


def main(role: str, folder: str, records_port: str, weights_port: str) -> None:
    use_one_thread()
    setup("info")
    path = Path(folder)
    run, transport = RunFolder(path.parent, path.name), small_link(int(records_port), int(weights_port))
    if role == "learner":
        run_learner(run, transport)
    else:
        run_actor(run, transport)


if __name__ == "__main__":
    main(*sys.argv[1:])
