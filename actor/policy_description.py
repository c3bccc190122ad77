"""The description of an exported policy in its file's metadata. It needs neither torch nor onnx."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.component import present_name
from steadyhand.runtime.logging import quoted
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.schema import FieldSpec, Schema, SchemaError

__all__ = ["ACTION", "ExportedPolicyError", "PolicyDescription", "probes", "task_facts"]

FORMAT = 1
PREFIX = "steadyhand."
ACTION = "action"  # the name of the graph's one output; inputs are named like the fields of a record
MOTION = ("entry_point", "action_scale_m", "action_scale_rad", "learns_gripper", "gripper_open_m")
PROBE_SCALES = (1.0, 0.1, 0.01)


class ExportedPolicyError(ValueError):
    """A file that is no exported policy, or a policy that does not fit the environment."""


@dataclass(frozen=True)
class PolicyDescription:
    """Everything beside the graph that is needed to run it.

    Attributes:
        schema: Schema of the records that the policy was trained on. The policy reads some of the fields.
        obs_horizon: Observations that the graph takes of each field, oldest first; an episode's first one is repeated.
        learner_epoch: The learner's start that made the weights.
        policy_version: Version of the weights.
        policy_spec: The architecture and its input scaling, as JSON. The scaling is inside the graph.
        task: The meaning of an action of 1; see `task_facts`.
        probe_actions: The action (A,) for each of `probes`, as it was computed where the policy was exported.
        identity: The run, the task and the robot that it was trained with, as JSON; {} in a file of an earlier release.
    """

    schema: Schema
    obs_horizon: int
    learner_epoch: int
    policy_version: int
    policy_spec: dict[str, Any]
    task: dict[str, Any]
    probe_actions: tuple[tuple[float, ...], ...]
    identity: dict[str, Any] = dataclasses.field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Return it as text by key, the values in JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        # The last two are in the schema as well; here they can be read without decoding the schema.
        facts |= {"schema": self.schema.to_json(), "format": FORMAT}
        facts |= {"schema_hash": self.schema.hash, "control_period_s": self.schema.control_period_s}
        return {PREFIX + name: msgspec.json.encode(value).decode() for name, value in facts.items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> PolicyDescription:
        """Read the text that `to_metadata` returned.

        Raises:
            ExportedPolicyError: The text is no such description.
        """
        try:
            names = (*cls.__dataclass_fields__, "format", "schema_hash")
            found = {PREFIX + "identity": "{}", **metadata}
            facts = {name: msgspec.json.decode(found[PREFIX + name]) for name in names}
            if facts["format"] != FORMAT:
                raise ExportedPolicyError(
                    f"expected format {FORMAT}, found {quoted(str(facts['format']))}; export it with this version"
                )
            schema = Schema.from_json(facts["schema"])
            if facts["schema_hash"] != schema.hash:
                raise ExportedPolicyError("expected the schema that its hash belongs to, found another")
            known = {name: facts[name] for name in cls.__dataclass_fields__}
            return msgspec.convert({**known, "schema": schema}, cls)
        except (KeyError, TypeError, SchemaError, msgspec.MsgspecError) as error:
            raise ExportedPolicyError(f"expected a policy's metadata, found {quoted(str(error), 160)}") from None

    def fields(self, inputs: Sequence[str]) -> list[FieldSpec]:
        """Return the observation fields behind the graph's inputs.

        Raises:
            SchemaError: There is no such field.
        """
        return [self.schema.observation_field(name.removeprefix(OBSERVATION)) for name in inputs]

    def misfits(self, inputs: Sequence[str], schema: Schema, task: Mapping[str, Any]) -> list[str]:
        """Return one readable line per mismatch between an environment and the policy's needs.

        Args:
            inputs: Inputs of the graph.
            schema: Schema of the environment.
            task: Its resolved configuration.
        """
        # Fields that are only recorded may differ: the policy does not read them.
        needed = replace(
            self.schema,
            observation=tuple(self.fields(inputs)),
            command_size=schema.command_size,
            reward_terms=schema.reward_terms,
        )
        lines = needed.diff(schema, extras=False)
        found = task_facts(task)
        for name in MOTION:
            expected, here = self.task.get(name), found.get(name)
            if name == "entry_point" and isinstance(expected, str):
                expected = present_name(expected)
            if expected != here:
                lines.append(f"task {name}: expected {expected}, found {here}")
        return lines


def task_facts(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return an arm's task settings that scale its actions; {} for a foreign environment, which scales by bounds.

    The schema has an action only as numbers within [-1, 1], without the motion of the arm that they command.
    """
    if task.get("kind") != "robot":
        return {}
    values = {**task["drive"], "entry_point": task["entry_point"]}
    return {name: values[name] for name in MOTION}


def probes(fields: Sequence[FieldSpec], obs_horizon: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield observations that are bit for bit the same on every machine, by the names of the graph's inputs.

    Args:
        fields: The fields that the policy reads.
        obs_horizon: H; an observation is (H, *shape) of the field's dtype.
    """
    for turn, scale in enumerate(PROBE_SCALES):
        yield {OBSERVATION + field.name: _pattern(field, obs_horizon, 37 + 2 * turn, scale) for field in fields}


def _pattern(field: FieldSpec, obs_horizon: int, stride: int, scale: float) -> NDArray[Any]:
    shape = (obs_horizon, *field.shape)
    ramp = np.arange(math.prod(shape)).reshape(shape) * stride
    pattern = ramp % 256 if field.is_image else (ramp % 64 - 31.5) / 32.0 * scale
    return pattern.astype(field.dtype)
