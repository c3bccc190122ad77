"""The control period at 10 Hz in real time, with a learner that trains, is killed and restarted, or is absent."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import CLOCK, Plan
from benchmarks.row import Row, at_least, row
from benchmarks.runs import open_run, outbox_of, process_overrides, recorded_steps, wait_for
from steadyhand.job import Job
from steadyhand.subprocesses import Child, ending
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind

__all__ = ["Phase", "phase_of", "rows"]

AREA = "period"
OVERRIDES = (
    "learner.pretrain_updates=200",
    "learner.start_transitions=20",
    "learner.checkpoint_period=200",
    "actor.max_env_steps=1000000",
    "actor.graduation=null",
)
PHASE_S, LIFE_S = 30.0, 8.0  # durations of each phase, and of a learner before it is killed
START_S, GRACE_S = 120.0, 20.0
LATE = 1.5  # periods
FIRST = 20  # steps before the first phase, in which both processes start


@dataclass(frozen=True)
class Phase:
    """Timing from the records of one phase of practice.

    Attributes:
        periods_ms: Times between consecutive observations within episodes.
        resets_ms: Times from the last observation of an episode to the first of the next.
    """

    periods_ms: NDArray[np.float64]
    resets_ms: NDArray[np.float64]


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    job = open_run(plan.new_folder("period"), OVERRIDES, demos=plan.pick(10, 2))
    period_ms = 1e3 * float(job.settings.composed["task"]["drive"]["control_period_s"])
    found, kills = _practise(job, plan.time_s(PHASE_S) + plan.pick(0, 2), LIFE_S if not plan.quick else 1.0)
    for name, phase in found.items():
        periods = phase.periods_ms
        note = f"{len(periods)} periods, p50 {np.median(periods):.1f} ms, at most {periods.max():.1f} ms, "
        note += f"{np.count_nonzero(periods > LATE * period_ms)} beyond {LATE:g} periods; bound: the period asked for"
        note += f"; killed {kills} times" if "killed" in name else ""
        p99 = float(np.percentile(periods, 99))
        yield row(AREA, f"control period p99, {name}", p99, "ms", bound=period_ms, smaller_is_better=True, note=note)
    training = found["learner training"]
    share = 100.0 * len(training.periods_ms) * period_ms / float(training.periods_ms.sum())
    name = "share of time outside resets that is control steps, learner training"
    yield row(AREA, name, share, "%", target=(at_least(99.0),), note="periods asked for, by the time that they took")
    if len(training.resets_ms):
        note = f"median of {len(training.resets_ms)}; the mock is put at its start, a real arm drives there"
        yield row(AREA, "reset", float(np.median(training.resets_ms)), "ms", note=note)


def _practise(job: Job, phase_s: float, life_s: float) -> tuple[dict[str, Phase], int]:
    """Run one actor over three phases; return the phases, and the number of times the learner was killed."""
    overrides = process_overrides(job)
    folder, kills = job.run.path, 0

    def learn() -> Child:
        return Child("learn", overrides, folder / "learner.log", threads=1)

    learner = learn()
    try:
        with ending(Child("act", overrides, folder / "actor.log", threads=1), GRACE_S) as actor:
            wait_for(lambda: recorded_steps(job) > FIRST, (learner, actor), START_S, "control steps")
            marks = [recorded_steps(job)]
            _pass(phase_s, learner, actor)
            marks.append(recorded_steps(job))
            until_ns = CLOCK.now_ns() + round(phase_s * 1e9)
            while CLOCK.now_ns() < until_ns:
                learner.end(grace_s=0.0)
                kills += 1
                learner = learn()
                _pass(life_s, actor)
            marks.append(recorded_steps(job))
            learner.end(grace_s=0.0)
            _pass(phase_s, actor)
            marks.append(recorded_steps(job))
    finally:
        learner.end(GRACE_S)
    names = ("learner training", "learner killed and restarted", "learner absent")
    log = outbox_of(job)
    assert log is not None
    with closing(LogReader(log)) as reader:
        phases = {name: phase_of(reader, *marks[index : index + 2]) for index, name in enumerate(names)}
    return phases, kills


def phase_of(reader: LogReader, lo: int, hi: int) -> Phase:
    """Return the timing of the records [lo, hi)."""
    rows = np.arange(lo, hi)
    stamp, episode, kind = (reader.gather(rows, name) for name in ("stamp_ns", "episode_id", "kind"))
    gaps_ms, same = np.diff(stamp) / 1e6, np.diff(episode) == 0
    return Phase(gaps_ms[same], gaps_ms[~same & (kind[:-1] == Kind.FINAL)])


def _pass(duration_s: float, *children: Child) -> None:
    """Wait for a time, and require all processes to live."""
    until_ns = CLOCK.now_ns() + round(duration_s * 1e9)
    wait_for(lambda: CLOCK.now_ns() >= until_ns, children, duration_s + GRACE_S, "time to pass")
