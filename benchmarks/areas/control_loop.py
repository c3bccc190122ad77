"""The control loop's own work: recording a step, the loop without the policy, and the policy by number of cameras."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learners import make_policy
from benchmarks.link import deliver, listening
from benchmarks.measure import CLOCK, Plan, computing, percentile_ms, times_ms
from benchmarks.random_weights import resnet10_file
from benchmarks.recording import CAMERAS, make_schema
from benchmarks.row import Row, at_most, not_measured, row
from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.job import quoted
from steadyhand.policies import EncoderError
from steadyhand.policies.encoders import FROM_FILE
from steadyhand.robot_envs.devices.operator import NoOperator, Wish
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.teachable import teachable
from steadyhand.settings import compose_settings
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Phase
from steadyhand.transport.weights import Weights

__all__ = ["rows"]

AREA = "control"
ENQUEUE_HZ = 50.0
LOOKS: dict[str, tuple[str, ...]] = {"state": (), "2 cameras": ("camera=wrist_side",)}
# Encoders whose latency is measured, by their names in `policy.encoder`.
ENCODERS = ("small_cnn", "keypoints", "resnet10", "efficientnet_lite0")


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    yield from _enqueue(plan)
    for name, overrides in LOOKS.items():
        yield from _own_work(plan, name, overrides)
    yield from _latency(plan, "state", 0, "none")
    for encoder in ENCODERS:
        for cameras in (1, 2, 3):
            yield from _latency(plan, f"{', '.join(CAMERAS[:cameras])}, {encoder}", cameras, encoder)


def _enqueue(plan: Plan) -> Iterable[Row]:
    """Measure two-camera steps into the log, while another process receives and stores them."""
    folder, side = plan.new_folder("enqueue"), plan.pick(128, 48)
    with listening(folder / "learner") as (link, _):
        (delivery,) = deliver(link, folder / "actor", [0], 2, side, plan.pick(500, 10), ENQUEUE_HZ)
    note = (
        f"appended to the log and the uplink told, at {ENQUEUE_HZ:g} Hz, with the link and the learner's disk at work"
    )
    times = delivery.enqueue_ms
    yield row(AREA, "enqueue a two-camera step, p50", percentile_ms(times, 50), "ms", note=note)
    yield row(AREA, "enqueue a two-camera step, p99", percentile_ms(times, 99), "ms", target=(at_most(0.2),))


def _own_work(plan: Plan, name: str, overrides: tuple[str, ...]) -> Iterable[Row]:
    what = f"own work a step, {name}"
    settings = compose_settings(["task=reach", *overrides])
    try:
        env = make_env(settings.composed, seed=0)
    except (RuntimeError, ImportError) as error:
        yield not_measured(AREA, what, "ms", str(error))
        return
    try:
        schema = env_schema(env)
        writer = LogWriter(plan.new_folder("work"), schema, "arm", "0" * 32, settings.transport.segment_bytes)
        loop = ControlLoop(env, schema, writer.append)
        size = schema.action.shape[0]
        arbiter = Arbiter(teachable(env).motion_entries, settings.actor.hand_over, schema.control_period_s)
        selector = ActionSelector(_Wanderer(size), arbiter)
        for episode in range(plan.pick(10, 1)):
            steps = repeat(True, plan.pick(80, 3))
            loop.run_episode(episode, Phase.TRAIN, selector, episode, partial(next, steps, False))
        writer.close()
    finally:
        env.close()
    times = loop.compute.percentiles()
    note = "everything between a look and the next command but the policy: arbiter, record, checksum, append"
    yield row(AREA, f"{what}, p50", times.p50_ms, "ms", note=note)
    yield row(AREA, f"{what}, p99", times.p99_ms, "ms")


def _latency(plan: Plan, name: str, cameras: int, encoder: str) -> Iterable[Row]:
    schema = make_schema(cameras, plan.pick(128, 48))
    weights = str(resnet10_file(plan.new_folder("weights"))) if encoder in FROM_FILE else None
    overrides = ["policy=pixels", f"policy.encoder={encoder}"] if cameras else ["policy=state"]
    overrides += [] if weights is None else [f"policy.encoder_weights={quoted(Path(weights))}"]
    try:
        policy = make_policy(schema, overrides)
    except EncoderError as error:
        yield not_measured(AREA, f"policy latency, {name}", "ms", str(error))
        return
    spec = policy.spec
    rng = np.random.default_rng(0)
    observation: dict[str, NDArray[np.float32 | np.uint8]] = {
        item.key: rng.integers(0, 256, item.shape, np.uint8) if item.is_frame else np.zeros(item.shape, np.float32)
        for item in spec.inputs
    }
    with computing(1):
        runner = PolicyRunner(spec, schema, CLOCK, 0, weights)
        runner.offer(Weights(0, 1, policy.trainable_tensors()))
        runner.begin(observation)

        def decide() -> None:
            runner.observe(observation)
            runner.act(deterministic=False)

        times_ms(decide, plan.pick(20, 1))
        times = times_ms(decide, plan.pick(300, 3))
    note = f"1 thread, {spec.obs_horizon} observations a decision"
    yield row(AREA, f"policy latency, {name}, p50", percentile_ms(times, 50), "ms", note=note)
    yield row(AREA, f"policy latency, {name}, p99", percentile_ms(times, 99), "ms")


class _Wanderer(NoOperator):
    """An operator who always acts, so that the policy is never used."""

    def __init__(self, size: int) -> None:
        self._size, self._rng = size, np.random.default_rng(0)

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return a small random action."""
        return self._rng.uniform(-0.2, 0.2, self._size).astype(np.float32)
