"""The rate of gradient updates, and its share of the rate of the matrix products or the encoder alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.bounds import Products
from benchmarks.learners import ALIKE, PAPER, compiled_update, make_block, make_sac
from benchmarks.measure import CLOCK, Plan, computing, in_turns
from benchmarks.random_weights import resnet10_file
from benchmarks.recording import make_schema
from benchmarks.row import Limit, Row, at_least, not_measured, row, share_of_bound
from benchmarks.update_profile import profile_rows
from steadyhand.job import quoted
from steadyhand.learner.algos.batch import to_device
from steadyhand.learner.compiled_update import CompilationError
from steadyhand.learner.config import Precision
from steadyhand.policies import EncoderError, Policy
from steadyhand.policies.encoders import FROM_FILE

__all__ = ["ENCODERS", "EncoderCase", "rows"]

AREA = "learner"
PIXELS = ("policy=pixels", *ALIKE)
WHAT_AN_UPDATE_IS = "one critic, policy and temperature step, batch 256; bound: the same matrix products alone"


@dataclass(frozen=True)
class EncoderCase:
    """An encoder of `policies.encoders` whose update on two cameras is measured.

    Attributes:
        name: A value of `policy.encoder`.
        frozen: Whether the encoder is not trained.
        target: The target of the row.
        cached: Whether the feature maps come from the cache.
        convolutions: A value of `learner.convolutions`.
    """

    name: str
    frozen: bool
    target: tuple[Limit, ...] = ()
    cached: bool = False
    convolutions: Precision = "auto"

    @property
    def text(self) -> str:
        """The name of the row."""
        how = "cached" if self.cached else "frozen, DrQ shift" if self.frozen else "trained, DrQ shift"
        how += "" if self.convolutions == "auto" else f", {self.convolutions}"
        return f"update/s, 2 cameras 128x128, {self.name} {how}"


# Target without a cache: six times LeRobot's 0.101, which is 80 % of two passes of the encoder.
FROZEN = (at_least(0.606), share_of_bound(0.8))
ENCODERS = (
    EncoderCase("small_cnn", frozen=True, target=FROZEN),
    EncoderCase("small_cnn", frozen=True, target=FROZEN, convolutions="bfloat16"),
    EncoderCase("small_cnn", frozen=False),
    EncoderCase("small_cnn", frozen=False, convolutions="bfloat16"),
    EncoderCase("keypoints", frozen=False),
    EncoderCase("resnet10", frozen=True, target=(share_of_bound(0.8),)),
    EncoderCase("resnet10", frozen=True, target=(share_of_bound(0.8),), convolutions="bfloat16"),
    EncoderCase("efficientnet_lite0", frozen=True, target=(share_of_bound(0.8),)),
    EncoderCase("resnet10", frozen=True, cached=True, target=(at_least(10.0),)),
    EncoderCase("efficientnet_lite0", frozen=True, cached=True, target=(at_least(10.0),)),
)


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    note = "20 critic steps to one policy step, batch 256; bound: the same matrix products alone"
    # The peers had all cores. Beside an actor on the same machine, the product uses one thread.
    for count, text in ((plan.pick(len(os.sched_getaffinity(0)), 1), ""), (1, ", 1 thread")):
        fast, many = ((at_least(100.0), share_of_bound(0.5)), (at_least(45.0),)) if not text else ((), ())
        yield _state(plan, f"update/s, state, 2 critics{text}", (), fast, WHAT_AN_UPDATE_IS, count)
        yield _state(plan, f"critic steps/s, state, 10 critics, 2 drawn{text}", PAPER, many, note, count)
    yield _compiled(plan, "update/s, state, 2 critics", ())
    yield _compiled(plan, "critic steps/s, state, 10 critics, 2 drawn", PAPER)
    for case in ENCODERS:
        yield _pixels(plan, case)
    yield from profile_rows(plan)


def _state(plan: Plan, name: str, overrides: tuple[str, ...], target: tuple[Limit, ...], note: str, count: int) -> Row:
    sac = make_sac(make_schema(), (*ALIKE, *overrides))
    steps = sac.settings.policy_delay
    block = make_block(sac.policy.spec, steps * sac.settings.batch_size)
    with computing(count):
        products = Products(sac.settings, sac.policy.spec, sac.policy.feature_size)
        found = in_turns(plan, {"update": lambda: sac.update(block), "products": products}, round_s=0.6)
    value, bound = steps / found["update"], steps / found["products"]
    return row(AREA, name, value, "1/s", bound=bound, target=target, note=f"{count} threads; {note}")


def _compiled(plan: Plan, name: str, overrides: tuple[str, ...]) -> Row:
    """Measure the algorithm's compiled update, in turns with the same algorithm uncompiled."""
    name = f"{name}, 1 thread, compiled"
    plain, compiled = (make_sac(make_schema(), (*ALIKE, *overrides)) for _ in range(2))
    steps = plain.settings.policy_delay
    block = make_block(plain.policy.spec, steps * plain.settings.batch_size)
    with computing(1):
        began_ns = CLOCK.now_ns()
        try:
            update = compiled_update(compiled, block, plan.quick)
        except CompilationError as error:
            return not_measured(AREA, name, "1/s", str(error))
        compile_s = (CLOCK.now_ns() - began_ns) / 1e9
        found = in_turns(plan, {"compiled": lambda: update(block), "plain": lambda: plain.update(block)}, 0.6)
    note = f"compiled in {compile_s:.0f} s; bound: not compiled"
    return row(AREA, name, steps / found["compiled"], "1/s", bound=steps / found["plain"], note=note)


def _pixels(plan: Plan, case: EncoderCase) -> Row:
    small = ("algo.batch_size=4",) if plan.quick else ()
    overrides = [*PIXELS, f"policy.encoder={case.name}", f"learner.convolutions={case.convolutions}", *small]
    if case.name in FROM_FILE:
        overrides.append(f"policy.encoder_weights={quoted(resnet10_file(plan.new_folder('weights')))}")
    try:
        sac = make_sac(make_schema(2, plan.pick(128, 48)), overrides, case.frozen)
    except EncoderError as error:
        return not_measured(AREA, case.text, "1/s", str(error), case.target)
    block = make_block(sac.policy.spec, sac.settings.batch_size, backbone=sac.policy.backbone if case.cached else None)
    count = plan.pick(len(os.sched_getaffinity(0)), 1)
    with computing(count):
        passes = _encoder_passes(sac.policy, block)
        found = in_turns(plan, {"update": lambda: sac.update(block), "passes": passes}, round_s=2.0)
    trained = any(parameter.requires_grad for parameter in sac.policy.encoders.parameters())
    alone = "what is learnt of the encoder" if case.cached else "the encoder"
    alone += " over each of the two observations" + (", and its gradients of one" if trained else "")
    note = f"{count} threads, batch {sac.settings.batch_size}; bound: {alone}"
    value, bound = 1.0 / found["update"], 1.0 / found["passes"]
    return row(AREA, case.text, value, "1/s", bound=bound, target=case.target, note=note)


def _encoder_passes(policy: Policy, block: Mapping[str, Any]) -> Callable[[], None]:
    """Return the least work of an update: the encoder passes of each camera's images of both observations."""
    now, later = (to_device(block[name], policy.mean.device) for name in ("observation", "next_observation"))
    trained = [parameter for parameter in policy.encoders.parameters() if parameter.requires_grad]

    def passes() -> None:
        with torch.no_grad():
            policy.features(later)
        features = policy.features(now)
        if trained:
            torch.autograd.grad(features.sum(), trained)

    return passes
