"""The manifest of a success classifier's ONNX file: its inputs, its stages, its thresholds and its quality."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "FORMAT",
    "MANIFEST",
    "MOST_STAGES",
    "OUTPUT",
    "ClassifierManifest",
    "ManifestError",
    "ReadField",
    "read_classifier_manifest",
]

MANIFEST = "steadyhand.classifier"  # the key of the manifest in the file's metadata
OUTPUT = "probability"  # the name of the graph's output, (stages,)
FORMAT = 2
MOST_STAGES = 9


class ManifestError(ValueError):
    """A file without a manifest of this format."""


class ReadField(msgspec.Struct, frozen=True):
    """One input of a classifier.

    Attributes:
        name: The observation's field; of a picture the name of its view.
        shape: Its shape: (D,) of a vector, (height, width, 3) of a picture.
        dtype: Its numpy dtype.
        frame: Frame of the values; of a picture it says which crop of the view is shown.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    frame: str


class ClassifierManifest(msgspec.Struct, frozen=True):
    """Facts of a classifier.

    Attributes:
        format: Format of the file.
        date: Time of the training, ISO 8601, UTC.
        stages: Names of the stages in their order. The last one is the success.
        fields: Inputs of the graph.
        thresholds: Suggested threshold of each stage's probability.
        certainty: Mean of max(p, 1 - p) of the success over the held-out observations.
        facts: Settings, sources and quality, for people.
    """

    format: int
    date: str
    stages: tuple[str, ...]
    fields: tuple[ReadField, ...]
    thresholds: tuple[float, ...]
    certainty: float
    facts: dict[str, Any]


def read_classifier_manifest(session: Any, where: str) -> ClassifierManifest:
    """Read the manifest of an opened ONNX file.

    Args:
        session: An `onnxruntime.InferenceSession`.
        where: Name of the file, for errors.

    Raises:
        ManifestError: The file has no manifest of this format.
    """
    text = session.get_modelmeta().custom_metadata_map.get(MANIFEST)
    if text is None:
        outputs = ", ".join(item.name for item in session.get_outputs())
        raise ManifestError(f"found {where} with the output {outputs}")
    try:
        found = msgspec.json.decode(text, type=ClassifierManifest)
    except msgspec.MsgspecError:
        raise ManifestError(f"found {where} of another release; train it anew") from None
    if found.format != FORMAT or not len(found.stages) == len(found.thresholds) > 0:
        raise ManifestError(f"found {where} of format {found.format}, not {FORMAT}; train it anew")
    return found
