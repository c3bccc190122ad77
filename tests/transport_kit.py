"""What the tests of the link share: a small schema, records whose observations say where they belong, and waiting."""

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from steadyhand.runtime.clock import MonotonicClock
from steadyhand.transport import keys
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.intake import Intake
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.schema import FieldSpec, Schema
from steadyhand.transport.wire import Hello, Status
from steadyhand.transport.zmq_server import ZmqServer
from tests.settings_kit import shipped

STATE = FieldSpec("state", (3,), "float32", -math.inf, math.inf, "m", "base")
WRIST = FieldSpec("wrist", (4, 6, 3), "uint8", 0, 255, "", "wrist camera")
ACTION = FieldSpec("action", (2,), "float32", -1, 1, "", "end effector")
SCHEMA = Schema((STATE, WRIST), ACTION, command_size=3, reward_terms=("task", "time"), control_period_s=0.1)
ANY_PORT = "tcp://127.0.0.1:0"
CONFIG = shipped(
    TransportConfig,
    "transport",
    address=ANY_PORT,
    weights_address=ANY_PORT,
    heartbeat_s=0.05,
    liveness_heartbeats=20,
    window_records=32,
    max_frame_bytes=1 << 16,
    max_weights_bytes=1 << 17,
    backoff_min_s=0.01,
    backoff_max_s=0.05,
    linger_s=0.2,
    segment_bytes=8192 + 10 * record_dtype(SCHEMA).itemsize,  # ten records
    sync_period_s=0.01,
    quota_bytes=1 << 20,
    min_free_bytes=0,
)
CLOCK = MonotonicClock()


def session_id(number: int) -> str:
    return f"{number:032x}"


def code(session: int, episode: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (state, frame) that no other step of any session has."""
    frame = np.zeros(WRIST.shape, np.uint8)
    frame.reshape(-1)[:6] = [session, episode >> 8, episode & 255, step >> 8, step & 255, 77]
    return np.array([session, episode, step], np.float32), frame


def record(session: int = 0, episode: int = 0, step: int = 0, schema: Schema = SCHEMA, **columns) -> np.ndarray:
    """Return one unsealed record, (), with the observation of `code`."""
    row = np.zeros((), record_dtype(schema))
    row["episode_id"], row["step_index"], row["valid"] = episode, step, True
    row["observation/state"], row["observation/wrist"] = code(session, episode, step)
    row["stamp_ns"] = 1_000 * step
    for name, value in columns.items():
        row[name] = value
    return row


def write_episode(writer: LogWriter, session: int, episode: int, steps: int, ending: str = "terminated") -> None:
    """Append an episode: `ending` is terminated, truncated, or crash (no final record)."""
    for step in range(steps):
        last = step == steps - 1 and ending != "crash"
        flags = {ending: True} if last else {}
        human = step % 7 in (2, 3, 5)
        writer.append(record(session, episode, step, phase=Phase.TRAIN, has_human=human, **flags))
    if ending != "crash":
        writer.append(record(session, episode, steps, kind=Kind.FINAL))


def writer_in(folder: Path, number: int = 0, schema: Schema = SCHEMA, actor_id: str = "arm", **options) -> LogWriter:
    settings = {"segment_bytes": CONFIG.segment_bytes}
    return LogWriter(folder, schema, actor_id, session_id(number), **(settings | options))


def frames(folder: Path, count: int, number: int = 0, schema: Schema = SCHEMA) -> bytes:
    """Return `count` records as one message of an actor has them."""
    writer = writer_in(folder, number, schema)
    for step in range(count):
        writer.append(record(number, 0, step, schema=schema))
    writer.close()
    return LogReader(folder).frame(0, count)


def log_of(folder: Path, number: int = 0) -> Path:
    """Write a log of three episodes with ten records each, which is a segment each; return its folder."""
    with closing(writer_in(folder, number)) as writer:
        for episode in range(3):
            write_episode(writer, number, episode, 9)
    return folder


def hello(number: int = 0, schema: Schema = SCHEMA, actor_id: str = "arm") -> Hello:
    return Hello.of(schema, actor_id, session_id(number))


def intake_in(folder: Path, **options) -> Intake:
    settings = {
        "config": CONFIG,
        "policy_spec": lambda schema: {"action_size": schema.action.shape[0]},
        "status": lambda session: Status(3, 7, -1, "train"),
    }
    return Intake(folder, **(settings | options))


def connected_config(server: ZmqServer) -> TransportConfig:
    """Return the settings of an actor that connects to `server`."""
    return reaching(CONFIG, server)


def make_machine(folder: Path, actor_id: str = "arm") -> TransportConfig:
    """Return the settings of a machine that has keys of its own, and is paired with nobody."""
    keys.make_keys(folder, actor_id)
    return replace(CONFIG, keys=str(folder))


def pair(learner: TransportConfig, actor: TransportConfig, actor_id: str = "arm") -> None:
    """Let the learner's machine and an actor's admit each other."""
    keys.pair_actor(learner.keys_folder, actor_id, keys.own_keys(actor.keys_folder).public)
    keys.pair_learner(actor.keys_folder, keys.own_keys(learner.keys_folder).public)


def reaching(config: TransportConfig, server: ZmqServer) -> TransportConfig:
    """Return an actor's settings with the addresses of `server`."""
    return replace(config, address=server.address, weights_address=server.weights_address)


def wait_until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Poll until `condition()` holds; fail after `timeout_s`."""
    deadline_ns = CLOCK.now_ns() + int(timeout_s * 1e9)
    while not condition():
        assert CLOCK.now_ns() < deadline_ns, f"not within {timeout_s} s"
        CLOCK.sleep_until(CLOCK.now_ns() + 2_000_000)
