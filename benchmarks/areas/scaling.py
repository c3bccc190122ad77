"""Scaling of the work: updates and resuming by records, the intake by actors, replay by cameras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.areas.replay import open_sampler, sampling_row
from benchmarks.learners import make_learner, open_learner
from benchmarks.link import deliver, listening
from benchmarks.measure import Plan, computing, in_turns, seconds
from benchmarks.recording import make_schema, write_log
from benchmarks.row import Row, row, share_of_bound
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.transport.log import LogReader

__all__ = ["rows"]

AREA = "scaling"
STATE = ("policy=state",)
FLAT = (share_of_bound(0.8),)  # the smallest difference that is measurable on a noisy machine
LINEAR = (share_of_bound(0.9),)
ACTOR_HZ, ACTOR_S = 50, 8
SEGMENT_BYTES = 1 << 27


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    yield from _by_records(plan)
    yield from _by_records_with_frames(plan)
    yield from _by_actors(plan)
    yield from _by_cameras(plan)


def _by_records(plan: Plan) -> Iterable[Row]:
    """Measure whole steps of the learner's loop, and restarts from a checkpoint, on logs of very different length."""
    sizes = [60, 120] if plan.quick else [10**3, 10**4, 10**5, 10**6]
    folders = {size: plan.new_folder(f"state-{size}") for size in sizes}
    for size, folder in folders.items():
        with closing(make_learner(folder, make_schema(), size, STATE)) as learner:  # closing saves a checkpoint
            learner.step()
    resume = {size: median(_resume_s(folder) for _ in range(plan.pick(3, 1))) for size, folder in folders.items()}
    with ExitStack() as stack, computing(1):
        learners = {size: stack.enter_context(closing(open_learner(folder, STATE))) for size, folder in folders.items()}
        steps = in_turns(plan, {str(size): learner.step for size, learner in learners.items()}, round_s=0.5)
    note = f"two critic steps, one policy step, batch 128, sampled and journalled; bound: {sizes[0]:,} records"
    for size in sizes:
        yield _flat(f"update, {size:,} records", 1e3 * steps[str(size)], 1e3 * steps[str(sizes[0])], "ms", note)
    note = f"from the checkpoint to the first block of updates, without starting Python; bound: {sizes[0]:,} records"
    for size in sizes:
        yield _flat(f"resume, {size:,} records", resume[size], resume[sizes[0]], "s", note)


def _flat(name: str, value: float, bound: float, unit: str, note: str) -> Row:
    """Return a row whose time should equal that of the smallest size, which is the bound of all sizes."""
    return row(AREA, name, value, unit, bound=bound, smaller_is_better=True, target=FLAT, note=note)


def _resume_s(folder: Path) -> float:
    """Return the time to open the run in `folder` with its checkpoint and make one block of updates [s]."""
    opened = []

    def resume() -> None:
        opened.append(open_learner(folder, STATE))
        assert opened[0].step()

    with computing(1):
        elapsed_s = seconds(resume)
    opened[0].close()
    return elapsed_s


def _by_records_with_frames(plan: Plan) -> Iterable[Row]:
    """Measure batches of two small cameras. Only the shortest log fits into a processor's cache."""
    sizes = [40, 60, 120] if plan.quick else [10**3, 10**4, 10**5]
    schema = make_schema(2, plan.pick(64, 48))
    updates = iter(range(10**9))
    with ExitStack() as stack, computing(1):
        samplers = {}
        for size in sizes:
            folder = write_log(plan.new_folder(f"frames-{size}"), schema, size, SEGMENT_BYTES)
            samplers[size] = open_sampler(stack.enter_context(closing(LogReader(folder))), cameras=2)
        calls = {str(size): partial(_sample, sampler, updates) for size, sampler in samplers.items()}
        found = in_turns(plan, calls, round_s=0.5)
    for size in sizes:
        name, value = f"sample(256)/s, 2 cameras 64x64, {size:,} records", 1.0 / found[str(size)]
        if size == sizes[0]:
            yield row(AREA, name, value, "1/s", note="so short a log is in the processor's cache: no bound for others")
        else:
            note = f"as many rows from logs of different length; bound: {sizes[1]:,} records"
            yield row(AREA, name, value, "1/s", bound=1.0 / found[str(sizes[1])], target=FLAT, note=note)


def _sample(sampler: Sampler, updates: Iterator[int]) -> None:
    sampler.sample(next(updates), 1)


def _by_actors(plan: Plan) -> Iterable[Row]:
    side, steps = plan.pick(128, 48), ACTOR_HZ * plan.pick(ACTOR_S, 1) // plan.pick(1, 5)
    for count in (1, 2) if plan.quick else (1, 2, 4, 8):
        folder = plan.new_folder(f"actors-{count}")
        with listening(folder / "learner") as (link, _):
            deliveries = deliver(link, folder / "actors", range(count), 2, side, steps, ACTOR_HZ)
        began_ns = min(each.began_ns for each in deliveries)
        elapsed_s = (max(each.durable_ns for each in deliveries) - began_ns) / 1e9
        note = f"two cameras each, until all is on the learner's disk; bound: {ACTOR_HZ} a second and actor"
        yield row(
            AREA,
            f"intake/s, {count} actor{'s' if count > 1 else ''} at {ACTOR_HZ} Hz",
            count * steps / elapsed_s,
            "1/s",
            bound=float(count * ACTOR_HZ),
            target=LINEAR,
            note=note,
        )


def _by_cameras(plan: Plan) -> Iterable[Row]:
    side = plan.pick(128, 48)
    for cameras in (1, 2, 3, 4):
        folder = write_log(plan.new_folder("views"), make_schema(cameras, side), plan.pick(1000, 60), SEGMENT_BYTES)
        yield sampling_row(
            plan, AREA, f"sample(256)/s, {cameras} camera{'s' if cameras > 1 else ''} 128x128", folder, cameras
        )
