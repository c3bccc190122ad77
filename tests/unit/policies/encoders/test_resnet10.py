import pytest
import safetensors.torch
import torch
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies import EncoderError
from steadyhand.policies.encoders.resnet10 import Resnet10
from tests.encoder_kit import resnet10_file, resnet10_tensors


def expected_maps(tensors, images):
    """The same network written out, for frames whose sides are multiples of 32."""

    def norm(x, name):
        return F.group_norm(x, 4, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    x = F.relu(norm(F.conv2d(images, tensors["embedder.0.weight"], None, 2, 3), "embedder.1"))
    x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    for stage in range(4):
        block, shortcut = f"encoder.stages.{stage}", x
        padded, stride = (F.pad(x, (1, 1, 1, 1)), 1) if stage == 0 else (F.pad(x, (0, 1, 0, 1)), 2)
        inner = F.relu(norm(F.conv2d(padded, tensors[f"{block}.conv1.weight"], None, stride), f"{block}.norm1"))
        inner = norm(F.conv2d(inner, tensors[f"{block}.conv2.weight"], None, 1, 1), f"{block}.norm2")
        if stage:
            shortcut = F.conv2d(x, tensors[f"{block}.shortcut.0.weight"], None, 2)
            shortcut = norm(shortcut, f"{block}.shortcut.1")
        x = F.relu(inner + shortcut)
    return x


def test_a_file_becomes_the_network_it_holds(tmp_path):
    backbone = Resnet10(resnet10_file(tmp_path))
    assert sum(value.numel() for value in backbone.parameters()) == 4_905_792  # as SERL's
    frames = torch.randint(0, 256, (2, 1, 64, 96, 3), dtype=torch.uint8)
    maps = backbone(frames)
    assert maps.shape == (2, 1, 512, 2, 3)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    images = ((frames[:, 0].float() / 255.0 - mean) / std).permute(0, 3, 1, 2)
    torch.testing.assert_close(maps[:, 0], expected_maps(resnet10_tensors(), images), rtol=1e-4, atol=1e-4)
    assert Resnet10(resnet10_file(tmp_path, seed=1)).hash != backbone.hash


def test_a_file_of_another_network_is_refused(tmp_path):
    tensors = resnet10_tensors()
    del tensors["encoder.stages.3.norm2.bias"]
    safetensors.torch.save_file(tensors, tmp_path / "less.safetensors")
    with pytest.raises(EncoderError, match=r"less\.safetensors: expected the weights of Resnet10, .*3\.norm2\.bias"):
        Resnet10(str(tmp_path / "less.safetensors"))
