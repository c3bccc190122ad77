"""Construction of the policy's specification from the schema and the demonstrations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.config import ScaleFloors
from steadyhand.learner.replay.soundness import fit_rows
from steadyhand.policies import Backbone, InputSpec, PolicySpec, PolicySpecError
from steadyhand.policies.config import PolicyConfig
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import OBSERVATION, Phase
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["build_policy_spec", "hidden_fields", "moments"]

# Fields that a policy from images did not read, in releases whose schemas do not say which are privileged.
PRIVILEGED_BEFORE = frozenset({"goal", "hole_estimate", "cube", "bin", "height"})
UNUSED = ScaleFloors(1.0)  # without data nothing is divided by a deviation
Moments = tuple[list[float], list[float]]


def build_policy_spec(
    config: PolicyConfig,
    schema: Schema,
    demos: Sequence[LogReader],
    floors: ScaleFloors = UNUSED,
    backbone: Backbone | None = None,
    prior: Sequence[LogReader] = (),
) -> PolicySpec:
    """Return the specification for a robot with `schema`.

    Args:
        config: Architecture, and the fields that the policy reads.
        schema: Schema of the records.
        demos: Logs whose demonstrations set the input scaling; without any, the schema's typical readings do.
        floors: Smallest deviations of a scaling by `demos` or `prior`.
        backbone: The frozen part of the encoder, if it has one.
        prior: Online logs of other runs, which set the input scaling where there are no demonstrations.
    """
    hidden = hidden_fields(config, schema)
    fields = [schema.observation_field(key) for key in config.observation_keys] or [
        field
        for field in schema.observation
        if field.name not in hidden and (not field.is_image or config.encoder != "none")
    ]
    if not fields:
        raise PolicySpecError(
            "policy spec: the policy reads no field; choose an encoder (policy=pixels) or a vector observation"
        )
    vectors = [field for field in fields if not field.is_image]
    return PolicySpec(
        inputs=tuple(
            InputSpec(field.name, field.shape, field.dtype, field.frame if field.is_image else "") for field in fields
        ),
        obs_horizon=config.obs_horizon,
        action_size=schema.action.shape[0],
        hidden=config.hidden,
        layer_norm=config.layer_norm,
        activation=config.activation,
        encoder=config.encoder,
        latent_size=config.latent_size,
        log_std_min=config.log_std_min,
        log_std_max=config.log_std_max,
        log_std_start=config.log_std_start,
        normaliser=_normaliser(vectors, demos, prior, floors),
        encoder_hash="" if backbone is None else backbone.hash,
        gripper_entries=schema.action.gripper_entries,
    )


def hidden_fields(config: PolicyConfig, schema: Schema) -> set[str]:
    """Return the names of the fields that a policy without `observation_keys` does not read."""
    hidden = set(config.hidden_keys)
    if config.hides_privileged:
        says = any(field.privileged is not None for field in schema.observation)
        hidden |= {field.name for field in schema.observation if field.privileged} if says else PRIVILEGED_BEFORE
    return hidden


def _normaliser(
    vectors: Sequence[FieldSpec], demos: Sequence[LogReader], prior: Sequence[LogReader], floors: ScaleFloors
) -> dict[str, Moments]:
    rows, logs = [_valid(reader, Phase.DEMO) for reader in demos], demos
    if not any(len(found) for found in rows):
        rows, logs = [_valid(reader, Phase.TRAIN) for reader in prior], prior
    if not any(len(found) for found in rows):
        return {field.name: ([0.0] * len(field.scale), list(field.scale)) for field in vectors if field.scale}
    normaliser = {}
    for field in vectors:
        parts = [reader.gather(found, OBSERVATION + field.name) for reader, found in zip(logs, rows, strict=True)]
        normaliser[field.name] = moments(np.concatenate(parts).astype(np.float64), floors, field.scale)
    return normaliser


def _valid(reader: LogReader, phase: Phase) -> NDArray[np.int64]:
    rows = np.arange(len(reader))
    found = np.flatnonzero((reader.gather(rows, "phase") == phase) & reader.gather(rows, "valid"))
    return found[fit_rows(reader, RecordCheck(reader.schema), found)]


def moments(values: NDArray[np.float64], floors: ScaleFloors, typical: Sequence[float] = ()) -> Moments:
    """Return the mean and the floored standard deviation of values (n, D), whose typical readings are (D,) or ()."""
    std, readings = values.std(axis=0), np.array(typical or np.zeros(values.shape[1]))
    # A component that hardly moved in the demonstrations must not become huge when it moves later. Noise and the error
    # of a tare must not look as large as a signal: a clone would know each episode by them.
    floored = np.maximum.reduce([std, np.full_like(std, floors.of_largest * std.max()), floors.of_typical * readings])
    if not std.max():  # no scale of its own: it keeps that of its sensor, or its units
        floored = readings if len(typical) else np.ones_like(std)
    return values.mean(axis=0).tolist(), floored.tolist()
