"""An online run on the point environment, with a learner that says no more than the test tells it to."""

import json
from types import SimpleNamespace

from steadyhand.actor.config import ActorConfig, ExplorationConfig
from steadyhand.actor.console import NoConsole
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.session_log import open_session
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.weights import encode
from steadyhand.transport.wire import Status
from tests.settings_kit import shipped
from tests.transport_kit import ANY_PORT
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import SPEC, weights_of

NOBODY = ExplorationConfig(max_env_steps=0, scale=0.5)
CONFIG = shipped(
    ActorConfig,
    "actor",
    max_env_steps=100,
    max_wall_s=1000.0,
    graduation=None,
    lockstep=False,
    uplink_timeout_s=1.0,
    exploration=NOBODY,
    takeover_ramp_s=0.0,
    hand_back_ramp_s=0.0,
    learner_stall_s=None,
)
LINK = shipped(
    TransportConfig,
    "transport",
    address=ANY_PORT,
    weights_address=ANY_PORT,
    window_records=64,
    max_frame_bytes=1 << 20,
    max_weights_bytes=1 << 20,
    backoff_max_s=1.0,
    segment_bytes=64_000,
    sync_period_s=0.01,
    quota_bytes=1 << 20,
    min_free_bytes=0,
)


class Run:
    """Everything around one `OnlineRun`, with a learner that only says what the test tells it to."""

    def __init__(self, folder, config=CONFIG, env=None, operator=None, idle=None, weights=1, trim=False):
        self.folder, self.env, self.stop, self.clock = folder, env or PointEnv(), StopFlag(), FakeClock()
        self.operator = operator or Helper(lambda step: False)
        self.status = SimpleNamespace(updates=0, version=0, allowed=-1, phase="train")
        self.spec = SPEC
        schema = env_schema(self.env)
        self.intake = Intake(folder / "learner", LINK, lambda schema: self.spec.to_json(), self._status)
        self.session = open_session(folder / "actor", schema, "robot-1", LINK.segment_bytes, trim=trim)
        self.uplink = LocalUplink(self.intake, LogReader(self.session.folder))
        self.waits: list[str] = []
        self.training = self.make_training(config)
        self._on_idle = idle or (lambda run: None)
        if weights:
            self.publish(weights)

    def make_training(self, config, **options):
        return OnlineRun(
            OnlineSettings(config, seed=0, **options),
            self.env,
            self.operator,
            Recording(self.uplink, self.session, self.folder / "actor.jsonl"),
            NoConsole(),
            Hooks(self.stop, self._idle),
            self.clock,
        )

    def publish(self, version, seed=7):
        self.intake.publish(encode(weights_of(version, seed=seed)))

    def __call__(self):
        summary = self.training.run()
        self.session.writer.close()
        self.uplink.close()
        return summary

    def metrics(self):
        return [json.loads(line) for line in (self.folder / "actor.jsonl").read_text().splitlines()]

    def log(self):
        reader = LogReader(self.session.folder)
        return reader.read(0, len(reader))

    def _status(self, session_id):
        status = self.status
        return Status(status.updates, status.version, status.allowed, status.phase)

    def _idle(self):
        self.waits.append(self.training.status().waiting)
        assert len(self.waits) < 1000, "waits for ever"
        self.clock.advance_ns(10_000_000)
        self._on_idle(self)
