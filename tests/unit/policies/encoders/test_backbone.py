import numpy as np
import pytest
import safetensors.torch
import torch

from steadyhand.policies import EncoderError, Policy
from steadyhand.policies.encoders.backbone import CPU_IMAGES, read_weights
from steadyhand.policies.noise import Noise
from tests.encoder_kit import TinyBackbone


def frames(count, horizon=2):
    return torch.randint(0, 256, (count, horizon, 32, 40, 3), dtype=torch.uint8)


def test_frames_are_scaled_and_every_one_has_its_map():
    backbone, seen = TinyBackbone(), frames(CPU_IMAGES + 3)
    maps = backbone(seen)
    assert maps.shape == (CPU_IMAGES + 3, 2, *backbone.map_shape((32, 40, 3))) == (CPU_IMAGES + 3, 2, 4, 4, 5)
    assert not maps.requires_grad
    scaled = (seen[9, 1].permute(2, 0, 1).float() / 255.0 - 0.5) / 0.25
    torch.testing.assert_close(maps[9, 1], backbone.convolution(scaled[None])[0])


def test_the_hash_says_which_weights_they_are():
    assert TinyBackbone(1).hash == TinyBackbone(1).hash != TinyBackbone(2).hash
    assert len(TinyBackbone(1).hash) == 64


def test_weights_of_another_network_are_refused():
    with pytest.raises(EncoderError, match=r"here: expected the weights of TinyBackbone, \['conv.bias'"):
        TinyBackbone(name="conv")


def test_one_backbone_serves_every_copy_and_camera_and_never_travels(make_spec):
    backbone = TinyBackbone()
    spec = make_spec(encoder="resnet10", encoder_hash=backbone.hash)
    one, other = Policy(spec, 1, backbone), Policy(spec, 2, backbone)
    assert one.backbone is other.backbone
    assert not any("backbone" in name for name in one.trainable_tensors())
    before = {name: value.clone() for name, value in backbone.named_parameters()}
    other.load_tensors(one.trainable_tensors())
    mean, _ = other({"state": torch.zeros(3, 2, 3), "wrist": frames(3)})
    mean.sum().backward()
    for name, value in backbone.named_parameters():
        assert value.grad is None
        assert torch.equal(value, before[name])
    assert other.encoders[0].embedding.grad is not None


def test_maps_may_stand_for_the_frames(make_spec):
    backbone = TinyBackbone()
    policy = Policy(make_spec(encoder="resnet10", encoder_hash=backbone.hash), 1, backbone)
    seen = {"state": torch.zeros(3, 2, 3), "wrist": frames(3)}
    torch.testing.assert_close(policy.features(seen | {"wrist": backbone(seen["wrist"])}), policy.features(seen))


def test_dropout_is_only_for_those_who_ask(make_spec):
    backbone = TinyBackbone()
    policy = Policy(make_spec(encoder="resnet10", encoder_hash=backbone.hash), 1, backbone)
    seen = {"state": torch.zeros(3, 2, 3), "wrist": frames(3)}
    dropped = [policy.features(seen, Noise(seed)) for seed in (0, 0, 1)]
    assert torch.equal(dropped[0], dropped[1])
    assert not torch.equal(dropped[0], dropped[2])
    assert not torch.equal(dropped[0], policy.features(seen))


@pytest.mark.parametrize(
    ("spec_hash", "backbone"),
    [("", TinyBackbone()), (TinyBackbone(1).hash, TinyBackbone(2)), (TinyBackbone(1).hash, None)],
)
def test_another_backbone_than_the_spec_names_is_refused_in_one_line(make_spec, spec_hash, backbone):
    with pytest.raises(EncoderError, match="expected weights with sha256") as caught:
        Policy(make_spec(encoder="resnet10", encoder_hash=spec_hash), 0, backbone)
    assert "\n" not in str(caught.value)


def test_a_weights_file_is_named_when_it_cannot_be_read(tmp_path):
    with pytest.raises(EncoderError, match=r"needs a safetensors file; give policy\.encoder_weights"):
        read_weights("resnet10", None)
    with pytest.raises(EncoderError, match=r"none\.safetensors: expected a safetensors file for resnet10"):
        read_weights("resnet10", str(tmp_path / "none.safetensors"))
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(EncoderError, match="expected a safetensors file for resnet10"):
        read_weights("resnet10", str(tmp_path / "text.safetensors"))
    safetensors.torch.save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(read_weights("resnet10", str(tmp_path / "a.safetensors"))["a"], [1.0, 1.0])
