"""Export of a trained policy to one ONNX file that runs without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.policy_description import ACTION, PolicyDescription, probes, task_facts
from steadyhand.actor.policy_runner import check_inputs
from steadyhand.learner.onnx_export import ExportError, check_packages, onnx_bytes
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import Policy, load_backbone
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.schema import Schema

__all__ = ["ExportError", "exported"]


class _Mode(nn.Module):
    """The most likely action (A,) for observations (H, ...), in the order of the specification's inputs."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = policy
        self._keys = [item.key for item in policy.spec.inputs]

    def forward(self, *observation: Tensor) -> Tensor:
        batch = {key: value.unsqueeze(0) for key, value in zip(self._keys, observation, strict=True)}
        return self._policy.mode(batch).squeeze(0)


def exported(policy: SavedPolicy, schema: Schema, task: Mapping[str, Any], encoder_weights: str | None = None) -> bytes:
    """Return the ONNX file of a policy, after a comparison of its actions with torch's.

    Its inputs are `observation/<field>`, (H, *shape) as the schema records them, oldest first; its output is `action`,
    (A,) in [-1, 1]. Scaling and encoders are inside.

    Args:
        policy: The trained policy.
        schema: The schema of its training records.
        task: The resolved configuration of its task.
        encoder_weights: The file of the frozen encoder's weights, if the encoder needs one.

    Raises:
        EncoderError: The frozen encoder's weights are missing, or differ from those used in training.
        ExportError: A package needed for the export is missing.
        SchemaError: The policy reads a field that the schema does not have.
        PolicyWeightsError: The weights do not fit the specification.
        ExportedPolicyError: onnxruntime and torch compute different actions.
    """
    check_packages()
    spec = policy.spec
    check_inputs(spec, schema)
    network = Policy(spec, backbone=load_backbone(spec.encoder, encoder_weights))
    network.load_tensors(policy.tensors)
    fields = [schema.observation_field(item.key) for item in spec.inputs]
    examples = [
        {name.removeprefix(OBSERVATION): value for name, value in probe.items()}
        for probe in probes(fields, spec.obs_horizon)
    ]
    description = PolicyDescription(
        schema=schema,
        obs_horizon=spec.obs_horizon,
        learner_epoch=policy.learner_epoch,
        policy_version=policy.policy_version,
        policy_spec=spec.to_json(),
        task=task_facts(task),
        probe_actions=tuple(tuple(network.act(example, deterministic=True).tolist()) for example in examples),
        identity=dict(policy.identity),
    )
    inputs = tuple(torch.from_numpy(examples[0][item.key]) for item in spec.inputs)
    names = [OBSERVATION + item.key for item in spec.inputs]
    raw = onnx_bytes(_Mode(network), inputs, names, ACTION, description.to_metadata())
    OnnxPolicy(raw, "the exported policy")  # computes the probes
    return raw
