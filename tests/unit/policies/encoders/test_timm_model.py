import sys

import pytest
import safetensors.torch
import torch

from steadyhand.policies import EncoderError
from steadyhand.policies.encoders.timm_model import TimmModel

MODEL = "resnet10t"


def test_without_timm_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(EncoderError, match=f"timm:{MODEL} needs timm; pip install timm"):
        TimmModel(MODEL, "weights.safetensors")


@pytest.fixture
def timm():
    return pytest.importorskip("timm")


def test_a_file_becomes_the_network_without_its_classifier(timm, tmp_path):
    torch.manual_seed(0)
    whole = timm.create_model(MODEL, pretrained=False).eval()
    safetensors.torch.save_file(whole.state_dict(), tmp_path / "whole.safetensors")
    backbone = TimmModel(MODEL, str(tmp_path / "whole.safetensors"))
    frames = torch.randint(0, 256, (2, 1, 64, 64, 3), dtype=torch.uint8)
    images = (frames[:, 0].permute(0, 3, 1, 2).float() - backbone.mean) * backbone.scale
    torch.testing.assert_close(backbone(frames)[:, 0], whole.forward_features(images), rtol=1e-4, atol=1e-4)
    assert backbone.map_shape((64, 64, 3)) == (512, 2, 2)


@pytest.mark.parametrize("name", ["no_such_net", "hf-hub:somebody/something", "../weights"])
def test_a_name_that_timm_does_not_list_is_refused_and_nothing_fetched(timm, name):
    with pytest.raises(EncoderError, match=r"expected a name of timm\.list_models"):
        TimmModel(name, None)


def test_a_file_of_another_network_is_refused(timm, tmp_path):
    safetensors.torch.save_file({"conv1.weight": torch.ones(3)}, tmp_path / "other.safetensors")
    with pytest.raises(EncoderError, match=f"expected the weights of timm:{MODEL}"):
        TimmModel(MODEL, str(tmp_path / "other.safetensors"))
