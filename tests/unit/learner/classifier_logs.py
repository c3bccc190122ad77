"""Logs of invented successes and failures, for the tests of success classifiers."""

import dataclasses

import numpy as np

from steadyhand.transport.record import Kind, Phase, record_dtype
from tests.unit.learner.logs import PIXELS, SCHEMA, writer_in

STEPS = 6
FRAMES = dataclasses.replace(PIXELS, observation=PIXELS.observation[1:])


def write(folder, wins, losses, number=0, schema=SCHEMA, seed=0):
    """Write `wins` successes, whose last state has a first number of 1, and `losses`, in which it stays below."""
    rng = np.random.default_rng(seed)
    writer = writer_in(folder, number, schema)
    for episode in range(wins + losses):
        won = episode < wins
        for step in range(STEPS + 1):
            place = 1.0 if won and step == STEPS else 0.5 * step / STEPS
            row = np.zeros((), record_dtype(schema))
            row["episode_id"], row["step_index"], row["valid"], row["phase"] = episode, step, True, Phase.DEMO
            row["kind"] = Kind.FINAL if step == STEPS else Kind.STEP
            row["success"] = won and step == STEPS - 1
            if schema is not FRAMES:
                row["observation/state"] = (place, *rng.normal(size=2))
            if schema is not SCHEMA:
                left = 2 + int(20 * place)
                row["observation/side"][12:18, left : left + 6] = 200
            writer.append(row)
    writer.close()
    return folder
