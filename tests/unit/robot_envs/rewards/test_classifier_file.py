import numpy as np
import pytest
from torch import nn

from steadyhand.learner.onnx_export import onnx_bytes
from steadyhand.robot_envs.rewards.classifier_file import ClassifierFile
from steadyhand.robot_envs.rewards.reward import SeenField
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.classifier_manifest import MANIFEST, ReadField
from tests.classifier_kit import First, write_classifier

WRIST = ReadField("wrist", (8, 8, 3), "uint8", "camera, crop 0.375 0.275 0.25 0.25")


class Brightness(nn.Module):
    def forward(self, wrist):
        return wrist.float().mean().reshape(1) / 255.0


@pytest.fixture
def pictures(tmp_path):
    return ClassifierFile(str(write_classifier(tmp_path / "pictures.onnx", Brightness(), (WRIST,))))


def test_it_reads_only_the_fields_of_its_manifest(pictures):
    pictures.check({"wrist": SeenField((8, 8, 3), "uint8", WRIST.frame), "state": SeenField((2,), "float32")})
    found = pictures.probabilities({"wrist": np.full((8, 8, 3), 51, np.uint8), "state": None})
    assert found == pytest.approx([0.2])


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (
            {"wrist": SeenField((8, 8, 3), "uint8", "camera")},
            "expected wrist seen from camera, crop 0.375 0.275 0.25 0.25, found seen from camera; choose the cameras",
        ),
        ({"side": SeenField((8, 8, 3), "uint8", WRIST.frame)}, "expected an observation wrist, found only side"),
        (
            {"wrist": SeenField((16, 16, 3), "uint8", WRIST.frame)},
            r"expected wrist as uint8 of shape \(8, 8, 3\), found as uint8 of shape \(16, 16, 3\)",
        ),
    ],
)
def test_another_camera_size_or_crop_is_one_line(pictures, seen, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        pictures.check(seen)
    assert "\n" not in str(caught.value)


def test_another_file_is_refused_before_it_is_read_as_a_graph(tmp_path):
    model = write_classifier(tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match=r"reward.model: expected a classifier .* found .*none.onnx"):
        ClassifierFile(str(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("a text")
    with pytest.raises(ConfigError, match="found 6 bytes of something else"):
        ClassifierFile(str(tmp_path / "text.onnx"))
    raw = bytearray(model.read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "damaged.onnx").write_bytes(raw)
    with pytest.raises(ConfigError, match="found a damaged one"):
        ClassifierFile(str(tmp_path / "damaged.onnx"))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "with the output probability"),
        ({MANIFEST: '{"format": 1}'}, "of another release; train it anew"),
        (
            {
                MANIFEST: '{"format": 3, "date": "", "stages": ["a"], "fields": [], "thresholds": [0.5], '
                '"certainty": 1, "facts": {}}'
            },
            "of format 3, not 2; train it anew",
        ),
    ],
)
def test_a_file_without_its_manifest_is_one_line(tmp_path, metadata, reason):
    path = write_classifier(tmp_path / "model.onnx", metadata=metadata)
    with pytest.raises(ConfigError, match=reason) as caught:
        ClassifierFile(str(path))
    assert "\n" not in str(caught.value)


def test_a_policy_is_no_classifier(tmp_path):
    import torch

    path = tmp_path / "policy.onnx"
    path.write_bytes(onnx_bytes(First(), [torch.zeros(2)], ["state"], "action", {}))
    with pytest.raises(ConfigError, match="with the output action"):
        ClassifierFile(str(path))
