"""Weights: the time that publishing blocks the training thread, and that a swap blocks the control loop."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from benchmarks.learners import make_learner, make_spec
from benchmarks.measure import CLOCK, Plan, computing, percentile_ms, times_ms
from benchmarks.recording import make_schema
from benchmarks.row import Row, at_most, row
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.weights_loader import WeightsLoader
from steadyhand.learner.learner import Learner
from steadyhand.policies import Policy
from steadyhand.transport import weights as weights_codec
from steadyhand.transport.weights import Weights

__all__ = ["rows"]

AREA = "weights"
STUCK_S, POLL_NS = 30.0, 1_000_000
CASES: dict[str, tuple[int, tuple[str, ...]]] = {
    "state": (0, ("policy=state",)),
    "2 cameras, small_cnn trained": (2, ("policy=pixels",)),
}


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    for name, (cameras, overrides) in CASES.items():
        yield from _publishing(plan, name, cameras, overrides)
        yield from _swapping(plan, name, cameras, overrides)


def _publishing(plan: Plan, name: str, cameras: int, overrides: tuple[str, ...]) -> Iterable[Row]:
    schema = make_schema(cameras, plan.pick(128, 48))
    learner = make_learner(plan.new_folder("publish"), schema, 60, (*overrides, "algo.batch_size=2"))
    with closing(learner), computing(1):
        learner.serve()
        learner.step()
        times = [_publish_ms(learner) for _ in range(plan.pick(200, 3))]
        raw = learner.intake.newest_weights
    assert raw is not None
    trained = sum(value.nbytes for value in weights_codec.decode(raw).tensors.values())
    what = f"publish, training thread blocked, {name}"
    note = "copied and checked, then handed to a thread that encodes them with their SHA-256 and sends them"
    yield row(AREA, f"{what}, p50", percentile_ms(times, 50), "ms", target=(at_most(2.0),), note=note)
    yield row(AREA, f"{what}, p99", percentile_ms(times, 99), "ms", target=(at_most(2.0),))
    note = "bound: the trained tensors alone; a frozen encoder never travels"
    yield row(AREA, f"a publish, {name}", len(raw) / 1e3, "kB", bound=trained / 1e3, smaller_is_better=True, note=note)


def _publish_ms(learner: Learner) -> float:
    """Publish, wait until the weights are sent, and return the time that the training thread was blocked [ms]."""
    assert learner.loop is not None
    before = learner.intake.newest_weights
    (elapsed_ms,) = times_ms(learner.loop.publish, 1)
    deadline_ns = CLOCK.now_ns() + round(STUCK_S * 1e9)
    while learner.intake.newest_weights is before:
        assert CLOCK.now_ns() < deadline_ns, f"no weights were published within {STUCK_S} s"
        CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)
    return elapsed_ms


def _swapping(plan: Plan, name: str, cameras: int, overrides: tuple[str, ...]) -> Iterable[Row]:
    schema = make_schema(cameras, plan.pick(128, 48))
    spec = make_spec(schema, overrides)
    tensors = [Policy(spec, seed).trainable_tensors() for seed in (1, 2)]
    runner = PolicyRunner(spec, schema, CLOCK, seed=0)
    loader = WeightsLoader(runner, in_background=True)
    with closing(loader), computing(1):
        pairs = [_swap_ms(loader, Weights(0, version, tensors[version % 2])) for version in range(plan.pick(200, 3))]
    blocked, whole = zip(*pairs, strict=True)
    note = "the control thread hands them over and swaps; another one copies, checks and tries them out meanwhile"
    what = f"swap between two steps, {name}"
    yield row(AREA, f"{what}, p50", percentile_ms(blocked, 50), "ms", target=(at_most(1.0),), note=note)
    yield row(AREA, f"{what}, p99", percentile_ms(blocked, 99), "ms", target=(at_most(1.0),))
    yield row(AREA, f"from hand-over to use, {name}, p99", percentile_ms(whole, 99), "ms")


def _swap_ms(loader: WeightsLoader, weights: Weights) -> tuple[float, float]:
    """Bring weights into use; return the time that the control thread was blocked, and the total time [ms]."""
    began_ns = CLOCK.now_ns()
    (offered_ms,) = times_ms(lambda: loader.offer(weights), 1)
    taken: list[bool] = []
    while True:
        (elapsed_ms,) = times_ms(lambda: taken.append(loader.take()), 1)
        if taken[-1]:
            return offered_ms + elapsed_ms, (CLOCK.now_ns() - began_ns) / 1e6
        assert CLOCK.now_ns() - began_ns < STUCK_S * 1e9, f"no weights were taken within {STUCK_S} s"
        CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)
