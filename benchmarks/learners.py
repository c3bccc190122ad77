"""Learners for measurements: the algorithm on blocks of noise, and the whole learner on a log of noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.recording import write_log
from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.compiled_update import CompiledUpdate
from steadyhand.learner.device import resolve_precision
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import LearnerSettings
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.policies import Backbone, Policy, PolicySpec, load_backbone
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.subprocesses import free_addresses
from steadyhand.training_settings import compose_training_settings
from steadyhand.transport.schema import Schema

__all__ = [
    "ALIKE",
    "PAPER",
    "compiled_update",
    "make_block",
    "make_learner",
    "make_policy",
    "make_sac",
    "make_spec",
    "open_learner",
]

CPU = torch.device("cpu")
# The setting in which the peers were measured: rows of 18 numbers, batch 256, one policy step per critic step.
ALIKE = ("policy.obs_horizon=1", "algo.batch_size=256", "algo.policy_delay=1")
PAPER = ("algo.num_critics=10", "algo.num_min=2", "algo.policy_delay=20")  # RLPD's ensemble
# Settings that switch off the limits of updates by the amount of data.
ALWAYS_DUE = ("learner.utd_ratio=1000000", "learner.start_transitions=1", "learner.device=cpu", "logging.level=error")


def make_spec(schema: Schema, overrides: Sequence[str]) -> PolicySpec:
    """Return the specification of a policy."""
    return make_policy(schema, overrides).spec


def make_policy(schema: Schema, overrides: Sequence[str], frozen: bool = False, device: torch.device = CPU) -> Policy:
    """Return a random policy; `frozen` freezes an encoder of any kind."""
    settings = compose_training_settings(overrides)
    learner, policy_config = settings.learner, settings.policy
    backbone = load_backbone(policy_config.encoder, policy_config.encoder_weights)
    spec = build_policy_spec(policy_config, schema, [], backbone=backbone)
    policy = Policy(settings.algo.settings.adapt(spec), 0, backbone)
    policy.to(device)
    if backbone is None:
        policy.encoders.requires_grad_(not frozen)
    policy.convolve_in(resolve_precision(learner.convolutions, device))
    return policy


def make_sac(schema: Schema, overrides: Sequence[str], frozen: bool = False, device: torch.device = CPU) -> Sac:
    """Return RLPD, unless the overrides choose another form of SAC, with a policy of `make_policy`."""
    overrides = ("algo=rlpd", *overrides)
    algo: Component[Sac] = find_component(compose(overrides)["algo"], Sac, "algo")
    return algo.make(make_policy(schema, overrides, frozen, device), 0)


def make_block(spec: PolicySpec, rows: int, seed: int = 0, backbone: Backbone | None = None) -> dict[str, Any]:
    """Return a block of noise in the form of a `Sampler`, (rows, ...); half of the rows count as demonstrated.

    With a backbone, its feature maps replace the images, as from the feature cache.
    """
    rng = np.random.default_rng(seed)

    def observation() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for item in spec.inputs:
            shape = (rows, spec.obs_horizon, *item.shape)
            if not item.is_frame:
                found[item.key] = rng.normal(size=shape).astype(np.float32)
            elif backbone is None:
                found[item.key] = rng.integers(0, 256, shape, np.uint8)
            else:
                maps = (rows, spec.obs_horizon, *backbone.map_shape(item.shape))
                found[item.key] = rng.normal(size=maps).astype(np.float16)
        return found

    return {
        "observation": observation(),
        "action": rng.uniform(-1.0, 1.0, (rows, spec.action_size)).astype(np.float32),
        "reward": rng.integers(0, 2, rows).astype(np.float32),
        "discount": np.full(rows, 0.97, np.float32),
        "next_observation": observation(),
        "mc_return": np.zeros(rows, np.float32),
        "gripper_changes": np.zeros((rows, len(spec.decided)), np.float32),
        "is_demo": np.arange(rows) % 2 == 0,
        "is_correction": np.arange(rows) % 4 == 0,
    }


def compiled_update(algo: Sac, block: Mapping[str, Any], quick: bool) -> CompiledUpdate:
    """Return the compiled update of an algorithm, for blocks like this one; two updates have been made.

    Raises:
        CompilationError: This machine cannot compile it.
    """
    with algo.noise.noted() as draws:
        algo.update(block)
    update = CompiledUpdate(algo, draws, "aot_eager" if quick else "inductor")
    update(block)
    return update


def make_learner(folder: Path, schema: Schema, records: int, overrides: Sequence[str]) -> Learner:
    """Write a log of `records` records as one session of a run in `folder`, and open a learner on it."""
    transport = compose_training_settings(overrides).transport
    write_log(RunFolder(folder, "run").log, schema, records, transport.segment_bytes)
    return open_learner(folder, overrides)


def open_learner(folder: Path, overrides: Sequence[str]) -> Learner:
    """Open a learner on the run in `folder`, with its checkpoint if it has one; gradient steps are always due."""
    settings = compose_training_settings([*overrides, *ALWAYS_DUE])
    address, weights_address = free_addresses(2)
    transport = replace(settings.transport, address=address, weights_address=weights_address)
    learner = LearnerSettings(settings.learner, settings.algo, settings.policy, transport, seed=0)
    return Learner(learner, RunFolder(folder, "run"))
