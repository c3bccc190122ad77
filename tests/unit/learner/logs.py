"""Logs for the tests of replay and of the loop: every observation says where it belongs."""

import numpy as np

from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.schema import FieldSpec, Schema

STATE = FieldSpec("state", (3,), "float32", -np.inf, np.inf, "m", "base")
SIDE = FieldSpec("side", (32, 32, 3), "uint8", 0, 255, "", "side camera")
ACTION = FieldSpec("action", (2,), "float32", -1, 1, "", "end effector")
SCHEMA = Schema((STATE,), ACTION, command_size=1, reward_terms=(), control_period_s=0.1)
PIXELS = Schema((STATE, SIDE), ACTION, command_size=1, reward_terms=(), control_period_s=0.1)


def session_id(number):
    return f"{number:032x}"


def writer_in(folder, number=0, schema=SCHEMA):
    return LogWriter(folder, schema, "arm", session_id(number), 1 << 16)


def reader_of(writer):
    return LogReader(writer.folder)


def append(writer, episode, step, session=0, **columns):
    """Append a record whose state is (session, episode, step) and whose action is a function of it."""
    row = np.zeros((), record_dtype(writer.schema))
    row["episode_id"], row["step_index"], row["valid"] = episode, step, True
    row["observation/state"] = session, episode, step
    row["action"] = np.tanh(0.1 * episode - 0.3), np.tanh(0.05 * step - 0.2)
    for name, value in columns.items():
        row[name] = value
    if "observation/side" in row.dtype.names:
        row["observation/side"][:] = 10 * episode + step
    writer.append(row)


def write_episode(writer, episode, steps, ending="terminated", phase=Phase.TRAIN, human=(), reward=None, session=0):
    """Append an episode that is `terminated`, `truncated`, or cut off by a `crash`, with reward 1 at a success."""
    for step in range(steps):
        last = step == steps - 1
        flags = {ending: True} if last and ending != "crash" else {}
        gain = float(last and ending == "terminated") if reward is None else reward[step]
        append(writer, episode, step, session, phase=phase, has_human=step in human, reward=gain, **flags)
    if ending != "crash":
        append(writer, episode, steps, session, phase=phase, kind=Kind.FINAL)
