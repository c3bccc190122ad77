"""A profile of one update: the learner's own loop on a log, item by item, as JSON and as one drawing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.resources import files

import torch

from benchmarks.learners import make_learner
from benchmarks.measure import CLOCK, Plan, computing
from benchmarks.random_weights import resnet10_file
from benchmarks.recording import make_schema
from benchmarks.row import Row, at_most, row
from benchmarks.stopwatch import Stopwatch
from steadyhand.job import quoted
from steadyhand.learner.admission import Admission
from steadyhand.learner.algos import guarded_adam
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import EnsembleAlgorithm
from steadyhand.learner.algos.residual import Residual
from steadyhand.learner.journal import Journal
from steadyhand.learner.learner import Learner
from steadyhand.learner.outcomes import OutcomeWatch
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.learner.train_loop import TrainLoop
from steadyhand.learner.training_scalars import TrainingScalars
from steadyhand.policies import Policy, heads
from steadyhand.policies.critic import CriticEnsemble
from steadyhand.report.chart import Share, share_chart
from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json

__all__ = ["PROFILES", "Profile", "draw", "profile_rows", "shares_of"]

AREA = "learner"
REST = "everything else"
# The watched functions of a block of gradient steps: (owner, function, item, stage).
WATCHED = (
    (ReplayStore, "refresh", "look at the logs", "loop"),
    (ReplayStore, "advance", "look at the logs", "loop"),
    (Journal, "note", "journal", "loop"),
    (Sampler, "sample", "gather from the logs", "batch"),
    (Batch, "shifted", "shift frames", "batch"),
    (EnsembleAlgorithm, "td_target", "the rest", "target"),
    (EnsembleAlgorithm, "update_critic", "the rest", "critics"),
    (Residual, "update_base", "the rest", "base"),
    (Residual, "update_residual", "the rest", "residual"),
    (Policy, "features", "encode", ""),
    (Policy, "base", "policy layers", ""),
    (Policy, "change", "policy layers", ""),
    (heads, "sample", "draw actions", ""),
    (CriticEnsemble, "forward", "critic layers", ""),
    (torch.autograd, "grad", "gradients", ""),
    (guarded_adam, "adam", "Adam", ""),
    (torch, "_foreach_norm", "gradient norm", ""),
    (torch, "_foreach_lerp_", "moving average", ""),
    (OutcomeWatch, "look", "outcomes", "loop"),
    (Admission, "admit", "admission", "loop"),
    (TrainLoop, "publish", "publish", "loop"),
    (TrainingScalars, "log", "metrics", "loop"),
    (TrainLoop, "save", "checkpoint", "loop"),
)
# The necessary items of an update. All others are avoidable, or could be done elsewhere.
NEEDED = {"gather from the logs", "shift frames", "encode", "policy layers", "draw actions", "critic layers"}
NEEDED |= {"gradients", "Adam", "moving average"}
# The product's default settings: from state, and from two cameras with a trained and with a frozen encoder.
PROFILES: dict[str, tuple[str, ...]] = {
    "state": ("policy=state",),
    "two cameras": ("policy=pixels",),
    "two cameras, resnet10 cached": ("policy=pretrained", "policy.encoder=resnet10"),
}
WARM = 5  # warm-up blocks that are not measured
SHOWN = 0.005  # smaller shares are merged


@dataclass(frozen=True)
class Profile:
    """The items of an update: shares of its time, largest first, with a sum of 1."""

    updates: int
    update_ms: float
    shares: dict[str, float]


def profile_rows(plan: Plan) -> Iterable[Row]:
    """Profile, write `update_profile.json` and `update_profile.svg`, and yield rows of the avoidable items."""
    found: dict[str, Profile] = {}
    for name, overrides in PROFILES.items():
        cached, cameras = "cached" in name, 2 if "cameras" in name else 0
        more = ["algo.batch_size=4", "policy.obs_horizon=1"] if plan.quick else []
        if cached:
            more.append(f"policy.encoder_weights={quoted(resnet10_file(plan.new_folder('weights')))}")
        # The log for the cache is short, because its images are encoded before the measurement.
        records = plan.pick(100 if cached else 500 if cameras else 2000, 60)
        blocks = plan.pick(30 if cached else 4 if cameras else 1000, 2)
        count = plan.pick(len(os.sched_getaffinity(0)), 1) if cameras else 1
        folder, schema = plan.new_folder("profile"), make_schema(cameras, plan.pick(128, 48))
        learner = make_learner(folder, schema, records, (*overrides, *more))
        with closing(learner), computing(count):
            found[name] = shares_of(learner, blocks)
        avoidable = {item: share for item, share in found[name].shares.items() if not _is_needed(item)}
        worst = max(avoidable, key=lambda item: avoidable[item])
        note = f"{worst}; all that could be avoided together: {100 * sum(avoidable.values()):.0f} %"
        label = f"largest avoidable item of an update, {name}"
        yield row(AREA, label, 100 * avoidable[worst], "%", target=(at_most(10.0),), note=note)
    plan.results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(plan.results / "update_profile.json", {name: asdict(each) for name, each in found.items()})
    atomic_write_bytes(plan.results / "update_profile.svg", draw(found).encode())


def shares_of(learner: Learner, blocks: int) -> Profile:
    """Run `blocks` blocks of gradient steps, and return the profile of their time."""
    for _ in range(WARM):  # opens the logs, fills the feature cache, and makes torch's first calls
        learner.step()
    assert learner.loop is not None
    watch, before = Stopwatch(), learner.loop.counters.step
    began_ns = CLOCK.now_ns()
    with watch.watching(*WATCHED):
        for _ in range(blocks):
            learner.step()
    whole_s = (CLOCK.now_ns() - began_ns) / 1e9
    updates = learner.loop.counters.step - before
    spent_s = watch.seconds | {f"loop: {REST}": max(0.0, whole_s - sum(watch.seconds.values()))}
    shares = {item: spent_s[item] / whole_s for item in sorted(spent_s, key=lambda item: -spent_s[item])}
    return Profile(updates, 1e3 * whole_s / updates, shares)


def draw(found: Mapping[str, Profile]) -> str:
    """Draw the profiles below each other as one self-contained SVG."""
    bars = [Share("needed", "policy", 0.0), Share("could be avoided, or done elsewhere", "person", 0.0)]
    for name, profile in found.items():
        bars.append(Share(f"{name}: {profile.update_ms:.1f} ms an update", "", None))
        for item, share in profile.shares.items():
            if share >= SHOWN:
                bars.append(Share(item, "policy" if _is_needed(item) else "person", share))
        rest = sum(share for share in profile.shares.values() if share < SHOWN)
        bars.append(Share(f"items below {100 * SHOWN:g} % each", "person", rest))
    svg = share_chart(bars, "Where one update's time goes: what it needs, and what could be avoided")
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" ', 1)
    style = files("steadyhand.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    return svg.replace("</title>", f"</title><style>{style}</style>", 1)


def _is_needed(item: str) -> bool:
    return item.partition(": ")[2] in NEEDED
