"""Training of a success classifier on recorded episodes, and its export to one ONNX file.

The network is a policy network with one output for each stage: scaling of the inputs, encoders and frozen backbones are
the policy's. Output k is the logit of "at least k stages are done"; with one stage that is the success.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
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
from steadyhand.learner.classifier_quality import Quality, fitted_temperature, quality, sigmoid, suggested_threshold
from steadyhand.learner.config import ClassifierConfig, ScaleFloors
from steadyhand.learner.onnx_export import check_packages, onnx_bytes
from steadyhand.learner.policy_spec import moments
from steadyhand.policies import InputSpec, Policy, PolicySpec, load_backbone
from steadyhand.policies.noise import Noise
from steadyhand.runtime.classifier_manifest import FORMAT, MANIFEST, OUTPUT, ClassifierManifest, ReadField
from steadyhand.runtime.clock import MonotonicClock, utc_text, wall_time_ns
from steadyhand.runtime.onnx_file import open_session
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["ClassifierFit", "fit_classifier"]

TOLERANCE = 1e-4  # of a probability; rounding differs by a millionth
PROBES = 8  # held-out observations on which onnxruntime is compared with torch


@dataclass(frozen=True)
class ClassifierFit:
    """A fitted classifier.

    Attributes:
        raw: The ONNX file.
        stages: Names of the stages.
        qualities: Quality of each stage on the held-out episodes, at the suggested threshold.
        temperatures: Divisor of the logits of each stage.
        probability: Probability of the success of each held-out example, (m,).
        positive: Truth of the success of each held-out example, (m,).
        trained_episodes: Number of episodes to train on.
        held_out_episodes: Number of other episodes, for the test.
        trained: Number of examples to train on, by the number of stages that they show.
        training_s: Duration of the gradient steps [s].
    """

    raw: bytes
    stages: tuple[str, ...]
    qualities: tuple[Quality, ...]
    temperatures: tuple[float, ...]
    probability: NDArray[np.float64]
    positive: NDArray[np.bool_]
    trained_episodes: int
    held_out_episodes: int
    trained: tuple[int, ...]
    training_s: float

    @property
    def quality(self) -> Quality:
        """Quality of the last stage, the success."""
        return self.qualities[-1]

    def facts(self) -> dict[str, Any]:
        """Return the numbers as JSON holds them."""
        return {
            "trained_episodes": self.trained_episodes,
            "held_out_episodes": self.held_out_episodes,
            "trained_examples": dict(zip(("none", *self.stages), self.trained, strict=True)),
            "training_s": round(self.training_s, 1),
            "stages": {
                name: asdict(one) | {"temperature": temperature}
                for name, one, temperature in zip(self.stages, self.qualities, self.temperatures, strict=True)
            },
        }


def fit_classifier(
    folders: Sequence[Path], config: ClassifierConfig, seed: int, stop: Callable[[], bool] = lambda: False
) -> ClassifierFit:
    """Train on recorded episodes, test on episodes held out, and export.

    The file takes one observation, with one input per field: vectors (D,) float32, frames (height, width, 3) uint8. Its
    output is `probability`, (stages,). The held-out episodes set the temperatures and the suggested thresholds, too;
    `steadyhand reward check` tests on others.

    Args:
        folders: Sets of examples, demo sets or logs.
        config: Examples, network, optimiser and split.
        seed: Fixes the split, the weights and the order.
        stop: Ends the fit early.

    Raises:
        ClassifierDataError: There are too few episodes, or the folders do not fit together.
        ExportError: A package is missing, or onnxruntime computes something else than torch.
        EncoderError: The weights of the frozen encoder are missing.
    """
    check_packages()
    with read_classifier_data(folders, config, seed) as data:
        fields = _fields(data.schema, config)
        backbone = load_backbone(config.encoder, config.encoder_weights)
        spec = _spec(fields, config, data, "" if backbone is None else backbone.hash)
        network, clock = Policy(spec, seed, backbone), MonotonicClock()
        began_ns = clock.now_ns()
        _train(network, data, config, seed, stop)
        training_s = (clock.now_ns() - began_ns) / 1e9
        network.eval()
        found = _held_out(network, data, config)
        manifest = ClassifierManifest(
            format=FORMAT,
            date=utc_text(wall_time_ns()),
            stages=config.stages,
            fields=tuple(ReadField(field.name, field.shape, field.dtype, field.frame) for field in fields),
            thresholds=tuple(one.threshold for one in found.qualities),
            certainty=float(np.mean(np.maximum(found.probability, 1.0 - found.probability)[:, -1])),
            facts={
                "network": spec.to_json(),
                "settings": asdict(config),
                "seed": seed,
                "folders": [str(path) for path in folders],
            },
        )
        fit = ClassifierFit(
            raw=b"",
            stages=config.stages,
            qualities=found.qualities,
            temperatures=found.temperatures,
            probability=found.probability[:, -1],
            positive=data.stage[data.held_out] >= len(config.stages),
            trained_episodes=len(data.trained_episodes),
            held_out_episodes=len(data.held_out_episodes),
            trained=tuple(np.bincount(data.stage[data.trained], minlength=len(config.stages) + 1).tolist()),
            training_s=training_s,
        )
        manifest.facts["held_out"] = fit.facts()
        raw = _exported(network, found.temperatures, fields, manifest)
        _compare(raw, data, found.probability, [field.name for field in fields])
        return replace(fit, raw=raw)


@dataclass(frozen=True)
class _HeldOut:
    temperatures: tuple[float, ...]
    qualities: tuple[Quality, ...]
    probability: NDArray[np.float64]  # (m, stages)


def _held_out(network: Policy, data: ClassifierData, config: ClassifierConfig) -> _HeldOut:
    """Set temperature and threshold of each stage, and evaluate it."""
    logits, stage = _logits(network, data, data.held_out), data.stage[data.held_out]
    truth = [stage >= number for number in range(1, len(config.stages) + 1)]
    temperatures = tuple(fitted_temperature(logits[:, index], one) for index, one in enumerate(truth))
    probability = sigmoid(logits / np.array(temperatures))
    qualities = []
    for index, positive in enumerate(truth):
        rates = (config.false_positive_rate, config.required_recall)
        threshold = suggested_threshold(probability[:, index], positive, *rates)
        qualities.append(quality(probability[:, index], positive, threshold))
    return _HeldOut(temperatures, tuple(qualities), probability)


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
            normaliser[field.name] = moments(values, ScaleFloors(config.std_floor))
    return PolicySpec(
        inputs=tuple(InputSpec(field.name, field.shape, field.dtype, field.frame) for field in fields),
        obs_horizon=1,
        action_size=len(config.stages),
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
    """Fit in place; every class has the same share of a batch, even if success is rare."""
    rng, shifts = np.random.default_rng(seed), Noise(seed)
    stage = data.stage[data.trained]
    classes = [data.trained[stage == number] for number in np.unique(stage).tolist()]
    numbers = torch.arange(1, len(config.stages) + 1)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], config.learning_rate)
    for _ in range(config.updates):
        sizes = [len(part) for part in np.array_split(np.arange(config.batch_size), len(classes))]
        rows = np.concatenate([rng.choice(own, size) for own, size in zip(classes, sizes, strict=True)])
        batch = _batch(network, data, rows)
        if config.image_shift:
            batch = shift_frames(batch, config.image_shift, shifts)
        wanted = (torch.from_numpy(data.stage[rows].astype(np.int64))[:, None] >= numbers).float()
        loss = F.binary_cross_entropy_with_logits(network(batch)[0], wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if stop():
            break


def _batch(network: Policy, data: ClassifierData, rows: NDArray[np.int64]) -> dict[str, Tensor]:
    return {item.key: torch.from_numpy(data.gather(item.key, rows))[:, None] for item in network.spec.inputs}


def _logits(network: Policy, data: ClassifierData, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    parts = np.array_split(rows, max(1, -(-len(rows) // 64)))
    with torch.no_grad():
        return torch.cat([network(_batch(network, data, part))[0] for part in parts]).double().numpy()


class _Probability(nn.Module):
    """The probability of each stage, (stages,), for one observation, in the order of the specification's inputs."""

    def __init__(self, network: Policy, temperatures: Sequence[float]) -> None:
        super().__init__()
        self._network = network
        self._keys = [item.key for item in network.spec.inputs]
        self.register_buffer("_temperatures", torch.tensor(temperatures, dtype=torch.float32))

    def forward(self, *observation: Tensor) -> Tensor:
        batch = {key: value[None, None] for key, value in zip(self._keys, observation, strict=True)}
        return torch.sigmoid(self._network(batch)[0].reshape(-1) / self._temperatures)


def _exported(
    network: Policy, temperatures: Sequence[float], fields: Sequence[FieldSpec], manifest: ClassifierManifest
) -> bytes:
    inputs = [torch.zeros(field.shape, dtype=getattr(torch, field.dtype)) for field in fields]
    metadata = {MANIFEST: msgspec.json.encode(manifest).decode()}
    names = [field.name for field in fields]
    return onnx_bytes(_Probability(network, temperatures), inputs, names, OUTPUT, metadata)


def _compare(raw: bytes, data: ClassifierData, expected: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse a file whose results differ from torch's."""
    session = open_session(raw, "the exported classifier")
    for place in np.linspace(0, len(expected) - 1, min(PROBES, len(expected))).astype(int).tolist():
        row = data.held_out[place : place + 1]
        found = session.run([OUTPUT], {name: data.gather(name, row)[0] for name in names})[0]
        error = float(np.abs(found - expected[place]).max())
        if not error <= TOLERANCE:
            raise ClassifierDataError(
                f"classifier: expected onnxruntime to compute the probabilities that torch does, found a difference of "
                f"{error:.2g}; install the versions of constraints/cpu.txt"
            )
