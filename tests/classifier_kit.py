"""Classifier files of tests: a small graph with the manifest that `steadyhand reward train` writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import torch
from torch import nn

from steadyhand.learner.onnx_export import onnx_bytes
from steadyhand.runtime.classifier_manifest import FORMAT, MANIFEST, OUTPUT, ClassifierManifest, ReadField

STATE = ReadField("state", (2,), "float32", "")


class First(nn.Module):
    """The first number of a state as the probability of the success."""

    def forward(self, state):
        return state[:1].clone()


class Both(nn.Module):
    """The two numbers of a state as the probabilities of two stages."""

    def forward(self, state):
        return state.clone()


def write_classifier(
    path: Path,
    network: nn.Module | None = None,
    fields: tuple[ReadField, ...] = (STATE,),
    stages: tuple[str, ...] = ("success",),
    thresholds: tuple[float, ...] | None = None,
    certainty: float = 0.9,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a classifier that computes the probabilities of the stages from its fields; return its path."""
    manifest = ClassifierManifest(
        format=FORMAT,
        date="2026-01-01T00:00:00Z",
        stages=stages,
        fields=fields,
        thresholds=thresholds or (0.75,) * len(stages),
        certainty=certainty,
        facts={},
    )
    inputs = [torch.zeros(field.shape, dtype=getattr(torch, field.dtype)) for field in fields]
    names = [field.name for field in fields]
    facts = {MANIFEST: msgspec.json.encode(manifest).decode()} if metadata is None else metadata
    path.write_bytes(onnx_bytes(network or First(), inputs, names, OUTPUT, facts))
    return path
