"""Gradient updates on a CUDA device: a replayed CUDA graph, beside the same steps kernel by kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from benchmarks.areas.learner import PIXELS
from benchmarks.learners import ALIKE, make_block, make_sac
from benchmarks.measure import Plan, in_turns
from benchmarks.recording import make_schema
from benchmarks.row import Row, not_measured, row
from steadyhand.learner.cuda_graph import CudaGraphSteps

__all__ = ["rows"]

AREA = "gpu"
CACHED = ("policy=pretrained", *ALIKE)
# (name, overrides, cameras, whether the feature maps come from the cache)
CASES: tuple[tuple[str, tuple[str, ...], int, bool], ...] = (
    ("state, 2 critics", ALIKE, 0, False),
    ("state, 10 critics, 2 drawn", (*ALIKE, "algo.num_critics=10", "algo.num_min=2"), 0, False),
    ("2 cameras 128x128, efficientnet_lite0 cached", CACHED, 2, True),
    ("2 cameras 128x128, small_cnn trained", PIXELS, 2, False),
    ("2 cameras 128x128, small_cnn trained, float32", (*PIXELS, "learner.convolutions=float32"), 2, False),
)


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows; without a CUDA device each row says so."""
    for what, overrides, cameras, cached in CASES:
        name = f"update/s, {what}, CUDA"
        if torch.cuda.is_available():
            yield _row(plan, name, overrides, cameras, cached)
        else:
            yield not_measured(AREA, name, "1/s", "this machine has no CUDA device")


def _row(plan: Plan, name: str, overrides: tuple[str, ...], cameras: int, cached: bool) -> Row:
    device, schema = torch.device("cuda"), make_schema(cameras, plan.pick(128, 48))
    eager, recorded = (make_sac(schema, overrides, device=device) for _ in range(2))
    backbone = eager.policy.backbone if cached else None
    block = make_block(eager.policy.spec, eager.settings.batch_size, backbone=backbone)

    def finished(step: Callable[[Mapping[str, Any]], object]) -> Callable[[], None]:
        def call() -> None:
            step(block)
            torch.cuda.synchronize(device)

        return call

    recording = CudaGraphSteps(recorded)
    steps = {"eager": finished(eager.update), "recorded": finished(recording.update)}
    for step in (*steps.values(), *steps.values()):  # what only the first calls have to do
        step()
    if recording.is_off:
        return not_measured(AREA, name, "1/s", "the update could not be recorded")
    found = in_turns(plan, steps, round_s=1.0)
    note = f"{torch.cuda.get_device_name(device)}; the block's way to the device included; bound: kernel by kernel"
    return row(AREA, name, 1.0 / found["recorded"], "1/s", bound=1.0 / found["eager"], note=note)
