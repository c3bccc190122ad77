"""Replay: batches per second of two cameras' records, beside a bare gather of the same bytes, and disk usage."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from benchmarks.bounds import RowCopies
from benchmarks.learners import make_spec
from benchmarks.measure import Plan, computing, in_turns
from benchmarks.recording import make_schema, write_log
from benchmarks.row import Limit, Row, at_least, at_most, row
from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.malloc import keep_freed_memory
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.policies.noise import Noise
from steadyhand.transport.log import LogReader

__all__ = ["BATCH", "open_sampler", "rows", "sampling_row"]

AREA = "replay"
BATCH, SHIFT = 256, 4  # rows; pixels of DrQ's shift
SEGMENT_BYTES = 1 << 27
CROPPED = "sample(256)/s, 2 cameras 128x128, with the DrQ shift"


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    keep_freed_memory()
    side, count = plan.pick(128, 48), plan.pick(2000, 60)
    folder = write_log(plan.new_folder("replay"), make_schema(2, side), count, SEGMENT_BYTES)
    name = "sample(256)/s, 2 cameras 128x128, observation and next"
    yield sampling_row(plan, AREA, name, folder, 2, (at_least(65.0),))
    yield _cropped(plan, folder)
    stored = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    frames = 2 * side * side * 3 / 1e3
    yield row(
        AREA,
        "kB a two-camera step on the disk",
        stored / count / 1e3,
        "kB",
        bound=frames,
        smaller_is_better=True,
        target=(at_most(100.0),),
        note="blocks of a sealed log, headers included; demonstrations and interventions are the same records; "
        "bound: two raw frames",
    )


def sampling_row(plan: Plan, area: str, name: str, folder: Path, cameras: int, target: tuple[Limit, ...] = ()) -> Row:
    """Measure batches of observation and next observation from the log in `folder`, without a shift."""
    with closing(LogReader(folder)) as reader, computing(1):
        sampler = open_sampler(reader, cameras)
        updates = iter(range(10**9))
        copies = _bare_gather(reader, folder)
        found = in_turns(plan, {"sample": lambda: sampler.sample(next(updates), 1), "copies": copies}, round_s=0.5)
    note = "1 thread; bound: as many bytes of whole records copied from the mapped file"
    return row(area, name, 1.0 / found["sample"], "1/s", bound=1.0 / found["copies"], target=target, note=note)


def open_sampler(reader: LogReader, cameras: int) -> Sampler:
    """Return a sampler over one log whose records are all visible."""
    spec = make_spec(reader.schema, ("policy=pixels", "policy.obs_horizon=1") if cameras else ("policy=state",))
    store = ReplayStore(capacity=1_000_000)
    store.advance(store.refresh([reader]))
    return Sampler(store, spec, Sampling(BATCH, 1, 0.0, 1, 0.97, 0), seed=0)


def _cropped(plan: Plan, folder: Path) -> Row:
    noise = Noise(0)
    with closing(LogReader(folder)) as reader, computing(1):
        sampler = open_sampler(reader, cameras=2)
        updates = iter(range(10**9))

        def sample() -> None:
            block = sampler.sample(next(updates), 1)
            Batch.from_block(block, torch.device("cpu")).shifted(SHIFT, noise)

        copies = _bare_gather(reader, folder)
        found = in_turns(plan, {"sample": sample, "copies": copies}, round_s=0.5)
    note = "1 thread; sampled, then every frame shifted on its own; bound: as many bytes copied once"
    target = (at_least(40.0),)
    return row(AREA, CROPPED, 1.0 / found["sample"], "1/s", bound=1.0 / found["copies"], target=target, note=note)


def _bare_gather(reader: LogReader, folder: Path) -> RowCopies:
    """Return copies of as many bytes as a batch's observations and next observations."""
    chosen = np.random.default_rng(0).integers(0, len(reader), BATCH)
    return RowCopies(min(folder.iterdir()), reader.dtype.itemsize, np.concatenate([chosen, chosen + 1]))
