"""Training of a success classifier from recorded episodes, and its export to one ONNX file.

The network is a policy network with one output, whose mean is the logit of success: scaling of the inputs, encoders and
frozen backbones are the policy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from steadyhand.learner.algos.batch import shift_frames
from steadyhand.learner.classifier_data import ClassifierData, ClassifierDataError, read_classifier_data
from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.onnx_export import check_packages, onnx_bytes
from steadyhand.learner.policy_spec import moments
from steadyhand.policies import InputSpec, Policy, PolicySpec, load_backbone
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.onnx_file import open_session
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["ClassifierFit", "Quality", "fit_classifier"]

OUTPUT = "probability"
MANIFEST = "steadyhand.classifier"  # the key of the manifest in the file's metadata
FORMAT = 1
TOLERANCE = 1e-4  # of a probability; rounding differs by a millionth
PROBES = 8  # held-out observations on which onnxruntime is compared with torch


@dataclass(frozen=True)
class Quality:
    """Quality of a classifier on observations of held-out episodes, at a threshold probability of 0.5.

    Attributes:
        episodes: Held-out episodes, of both kinds.
        observations: Observations of these, without the ambiguous ones.
        positives: Observations of these that show success.
        accuracy: Share of correct classifications, 0..1.
        precision: Share of true successes among those classified as success; None when none was.
        recall: Share of the successes that are classified as success.
    """

    episodes: int
    observations: int
    positives: int
    accuracy: float
    precision: float | None
    recall: float


@dataclass(frozen=True)
class ClassifierFit:
    """A fitted classifier: the ONNX file and its quality."""

    raw: bytes
    quality: Quality
    trained_episodes: int


def fit_classifier(
    success: Sequence[Path],
    failure: Sequence[Path],
    config: ClassifierConfig,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
) -> ClassifierFit:
    """Train on recorded episodes, test on episodes held out, and export.

    The file takes one observation, with one input per field: vectors (D,) float32, frames (height, width, 3) uint8. Its
    output is `probability`, (), of success. Its metadata has a manifest.

    Args:
        success: Demo sets or logs; their episodes that are marked as a success are taken.
        failure: Demo sets or logs; their episodes that are not marked as a success are taken.
        config: Network, optimiser and split.
        seed: Fixes the split, the weights and the order.
        stop: Ends the fit early.

    Raises:
        ClassifierDataError: There are too few episodes, or the folders do not fit together.
        ExportError: A package is missing, or onnxruntime computes something else than torch.
        EncoderError: The weights of the frozen encoder are missing.
    """
    check_packages()
    with read_classifier_data(success, failure, config, seed) as data:
        fields = _fields(data.schema, config)
        backbone = load_backbone(config.encoder, config.encoder_weights)
        spec = _spec(fields, config, data, "" if backbone is None else backbone.hash)
        network = Policy(spec, seed, backbone)
        _train(network, data, config, seed, stop)
        network.eval()
        found = _probabilities(network, data, data.held_out)
        quality = _quality(found, data.held_out_positive, data.held_out_episodes)
        manifest = {
            "format": FORMAT,
            "date": utc_text(wall_time_ns()),
            "fields": [msgspec.to_builtins(field) for field in fields],
            "network": spec.to_json(),
            "settings": asdict(config),
            "seed": seed,
            "success": [str(path) for path in success],
            "failure": [str(path) for path in failure],
            "trained_episodes": data.trained_episodes,
            "held_out": asdict(quality),
        }
        raw = _exported(network, fields, manifest)
        _compare(raw, data, found, [field.name for field in fields])
        return ClassifierFit(raw, quality, data.trained_episodes)


def _fields(schema: Schema, config: ClassifierConfig) -> list[FieldSpec]:
    fields = [schema.observation_field(name) for name in config.fields] or [
        field for field in schema.observation if field.dtype == "float32" or config.encoder != "none"
    ]
    if not fields:
        raise ClassifierDataError(
            "classifier.encoder: expected an encoder where there are frames alone, found none; choose small_cnn"
        )
    return fields


def _spec(fields: Sequence[FieldSpec], config: ClassifierConfig, data: ClassifierData, encoder_hash: str) -> PolicySpec:
    normaliser = {}
    for field in fields:
        if field.dtype == "float32":
            values = data.gather(field.name, data.trained).astype(np.float64)
            normaliser[field.name] = moments(values, config.std_floor)
    return PolicySpec(
        inputs=tuple(InputSpec(field.name, field.shape, field.dtype, field.frame) for field in fields),
        obs_horizon=1,
        action_size=1,
        hidden=config.hidden,
        layer_norm=True,
        activation="relu",
        encoder=config.encoder,
        latent_size=config.latent_size,
        log_std_min=-5.0,
        log_std_max=1.0,
        log_std_start=0.0,
        normaliser=normaliser,
        encoder_hash=encoder_hash,
    )


def _train(
    network: Policy, data: ClassifierData, config: ClassifierConfig, seed: int, stop: Callable[[], bool]
) -> None:
    """Fit in place; half of each batch shows success, even if success is rare."""
    rng, shifts = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    positive, negative = data.trained[data.trained_positive], data.trained[~data.trained_positive]
    half = config.batch_size // 2
    wanted = torch.cat([torch.ones(half), torch.zeros(config.batch_size - half)])
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], config.learning_rate)
    for _ in range(config.updates):
        rows = np.concatenate([rng.choice(positive, half), rng.choice(negative, config.batch_size - half)])
        batch = _batch(network, data, rows)
        if config.image_shift:
            batch = shift_frames(batch, config.image_shift, shifts)
        loss = F.binary_cross_entropy_with_logits(network(batch)[0].squeeze(-1), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if stop():
            break


def _batch(network: Policy, data: ClassifierData, rows: NDArray[np.int64]) -> dict[str, Tensor]:
    return {item.key: torch.from_numpy(data.gather(item.key, rows))[:, None] for item in network.spec.inputs}


def _probabilities(network: Policy, data: ClassifierData, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    parts = np.array_split(rows, max(1, -(-len(rows) // 64)))
    with torch.no_grad():
        logits = [network(_batch(network, data, part))[0].squeeze(-1) for part in parts]
    return torch.sigmoid(torch.cat(logits)).double().numpy()


def _quality(found: NDArray[np.float64], positive: NDArray[np.bool_], episodes: int) -> Quality:
    said = found >= 0.5
    right = int(np.count_nonzero(said & positive))
    return Quality(
        episodes=episodes,
        observations=len(found),
        positives=int(np.count_nonzero(positive)),
        accuracy=float(np.mean(said == positive)),
        precision=right / int(np.count_nonzero(said)) if said.any() else None,
        recall=right / int(np.count_nonzero(positive)),
    )


class _Probability(nn.Module):
    """The probability () of success for one observation, in the order of the specification's inputs."""

    def __init__(self, network: Policy) -> None:
        super().__init__()
        self._network = network
        self._keys = [item.key for item in network.spec.inputs]

    def forward(self, *observation: Tensor) -> Tensor:
        batch = {key: value[None, None] for key, value in zip(self._keys, observation, strict=True)}
        return torch.sigmoid(self._network(batch)[0]).reshape(())


def _exported(network: Policy, fields: Sequence[FieldSpec], manifest: Mapping[str, Any]) -> bytes:
    inputs = [torch.zeros(field.shape, dtype=getattr(torch, field.dtype)) for field in fields]
    metadata = {MANIFEST: msgspec.json.encode(manifest).decode()}
    return onnx_bytes(_Probability(network), inputs, [field.name for field in fields], OUTPUT, metadata)


def _compare(raw: bytes, data: ClassifierData, expected: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse a file whose results differ from torch's."""
    session = open_session(raw, "the exported classifier")
    for place in np.linspace(0, len(expected) - 1, min(PROBES, len(expected))).astype(int).tolist():
        row = data.held_out[place : place + 1]
        found = float(session.run([OUTPUT], {name: data.gather(name, row)[0] for name in names})[0])
        if not abs(found - expected[place]) <= TOLERANCE:
            raise ClassifierDataError(
                f"classifier: expected onnxruntime to compute {expected[place]:.6f} as torch does, found {found:.6f}; "
                "install the versions of constraints/cpu.txt"
            )
