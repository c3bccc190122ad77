"""Updates from vectors beside the same update in jitted JAX: in turns, on the same core."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.learners import ALIKE, PAPER, compiled_update, make_block, make_sac
from benchmarks.measure import Plan, computing, in_turns
from benchmarks.peer import Peer
from benchmarks.recording import make_schema
from benchmarks.row import Row, not_measured, row, share_of_bound
from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.compiled_update import CompilationError

__all__ = ["rows"]

AREA = "twin"
PYTHON = Path(__file__).resolve().parents[2] / ".venv-jax" / "bin" / "python"
ABSENT = "no environment with JAX; make it with: make bench AREAS=twin"
TARGETS = {"uncompiled": (), "compiled": (share_of_bound(1.5),)}


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    for name, overrides in (("updates/s, 2 critics", ()), ("critic steps/s, 10 critics, 2 drawn", PAPER)):
        yield from _rows(plan, f"{name}, state, one core", (*ALIKE, *overrides))


def _rows(plan: Plan, name: str, overrides: tuple[str, ...]) -> Iterator[Row]:
    if not PYTHON.exists():
        yield from (not_measured(AREA, f"{name}, {how}", "1/s", ABSENT, TARGETS[how]) for how in TARGETS)
        return
    plain, compiled = (make_sac(make_schema(), overrides) for _ in range(2))
    steps = plain.settings.policy_delay
    block = make_block(plain.policy.spec, steps * plain.settings.batch_size)
    count = max(1, 20 // steps)  # updates of the twin at a word
    with _on_one_core(), computing(1), Peer("benchmarks.jax_twin", [_sizes(plain)], str(PYTHON)) as twin:

        def updates_of_twin() -> None:
            twin.tell(str(count))
            if not twin.answer()["finite"]:
                raise ValueError("the twin's losses are not finite")

        functions = {"twin": updates_of_twin, "uncompiled": lambda: plain.update(block)}
        failure = ""
        try:
            update = compiled_update(compiled, block, plan.quick)
            functions["compiled"] = lambda: update(block)
        except CompilationError as error:
            failure = str(error)
        found = in_turns(plan, functions, round_s=2.0)
    bound = count * steps / found["twin"]
    note = "bound: the same update in jitted JAX on the same core, in turns"
    for how, target in TARGETS.items():
        if how in found:
            yield row(AREA, f"{name}, {how}", steps / found[how], "1/s", bound=bound, target=target, note=note)
        else:
            yield not_measured(AREA, f"{name}, {how}", "1/s", failure, target)


def _sizes(algo: Sac) -> str:
    spec, settings = algo.policy.spec, algo.settings
    return json.dumps(
        {
            "state": algo.policy.feature_size,
            "actions": spec.action_size,
            "hidden": spec.hidden,
            "critics": settings.num_critics,
            "drawn": settings.num_min,
            "batch": settings.batch_size,
            "slices": settings.policy_delay,
        }
    )


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
