"""Synthetic logs of any length in the form of an actor's: a state, an action, and camera images of noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype, seal
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["ACTION_SIZE", "STATE_SIZE", "make_records", "make_schema", "session_id", "write_log"]

STATE_SIZE, ACTION_SIZE, COMMAND_SIZE = 18, 7, 8
EPISODE_STEPS = 50
BLOCK_EPISODES = 20  # written at once
DIFFERENT_FRAMES = 64  # more would only cost memory: no measured code depends on the contents of an image
CAMERAS = ("wrist", "side", "front", "top")


def make_schema(cameras: int = 0, side: int = 128) -> Schema:
    """Return the schema of one arm: state (18,), action (7,), and square images of `side` pixels."""
    state = FieldSpec("state", (STATE_SIZE,), "float32", -math.inf, math.inf, "1", "base", (1.0,) * STATE_SIZE)
    frames = tuple(FieldSpec(name, (side, side, 3), "uint8", 0, 255, "rgb", "camera") for name in CAMERAS[:cameras])
    action = FieldSpec("action", (ACTION_SIZE,), "float32", -1.0, 1.0, "1", "")
    return Schema((state, *frames), action, COMMAND_SIZE, ("task",), control_period_s=0.1)


def make_records(schema: Schema, count: int, seed: int = 0) -> NDArray[np.void]:
    """Return the first `count` records of practice, shape (count,), not sealed: episodes of 50 steps and their ends."""
    rng = np.random.default_rng(seed)
    records = np.zeros(count, record_dtype(schema))
    place = np.arange(count) % (EPISODE_STEPS + 1)
    records["episode_id"], records["step_index"] = np.arange(count) // (EPISODE_STEPS + 1), place
    records["kind"] = np.where(place == EPISODE_STEPS, Kind.FINAL, Kind.STEP)
    records["phase"], records["valid"] = Phase.TRAIN, True
    records["terminated"] = place == EPISODE_STEPS - 1
    records["reward"] = records["terminated"]
    records["action"] = rng.uniform(-1.0, 1.0, (count, ACTION_SIZE))
    records["observation/state"] = rng.normal(size=(count, STATE_SIZE))
    for field in schema.observation:
        if field.is_image:
            frames = rng.integers(0, 256, (DIFFERENT_FRAMES, *field.shape), np.uint8)
            records[f"observation/{field.name}"] = frames[np.arange(count) % DIFFERENT_FRAMES]
    return records


def session_id(number: int) -> str:
    """Return the id of a session by its number."""
    return f"{number:032x}"


def write_log(folder: Path, schema: Schema, count: int, segment_bytes: int, number: int = 0) -> Path:
    """Write a log of practice to disk, and return its folder, `folder` / session id."""
    path = folder / session_id(number)
    writer = LogWriter(path, schema, f"arm{number}", session_id(number), segment_bytes)
    block = make_records(schema, min(count, BLOCK_EPISODES * (EPISODE_STEPS + 1)), seed=number)
    size, raw = block.dtype.itemsize, block.view(np.uint8).data
    for first_seq in range(0, count, len(block)):
        rows = min(len(block), count - first_seq)
        block["seq"] = np.arange(first_seq, first_seq + len(block))
        for place in range(rows):
            seal(raw[place * size : (place + 1) * size])
        writer.append_frame(raw[: rows * size], first_seq)
        block["episode_id"] += BLOCK_EPISODES
    writer.close()
    return path
