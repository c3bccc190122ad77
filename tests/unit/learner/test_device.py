import pytest
import torch

from steadyhand.learner.device import (
    DeviceError,
    _medium_is_float32,
    resolve_device,
    resolve_matmul,
    resolve_precision,
)


def test_auto_takes_the_fastest(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


def test_a_named_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"learner.device=cuda: this machine has no cuda; .*cpu"):
        resolve_device("cuda")
    assert resolve_device("cpu").type == "cpu"


def test_convolutions_take_bfloat16_on_a_cpu_only_on_demand():
    cpu = torch.device("cpu")
    assert resolve_precision("auto", cpu) == resolve_precision("float32", cpu) == torch.float32
    assert resolve_precision("bfloat16", cpu) == torch.bfloat16


@pytest.mark.parametrize("native", [True, False])
def test_convolutions_take_bfloat16_where_the_gpu_multiplies_it(monkeypatch, native):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    gpu = torch.device("cuda")
    assert resolve_precision("auto", gpu) == (torch.bfloat16 if native else torch.float32)
    assert resolve_precision("float32", gpu) == torch.float32
    if not native:
        with pytest.raises(DeviceError, match=r"learner\.convolutions=bfloat16: this cuda device has none"):
            resolve_precision("bfloat16", gpu)


def test_other_devices_keep_float32():
    assert resolve_precision("auto", torch.device("mps")) == torch.float32
    with pytest.raises(DeviceError, match="choose auto or float32"):
        resolve_precision("bfloat16", torch.device("mps"))


@pytest.mark.parametrize(("is_float32", "found"), [(True, "medium"), (False, "highest")])
def test_products_take_the_fast_way_only_where_it_is_float32(monkeypatch, is_float32, found):
    monkeypatch.setattr("steadyhand.learner.device._medium_is_float32", lambda: is_float32)
    assert resolve_matmul("auto", torch.device("cpu")) == found
    assert resolve_matmul("auto", torch.device("cuda")) == "highest"
    assert resolve_matmul("high", torch.device("cpu")) == "high"


@pytest.mark.parametrize("digits", [torch.float32, torch.bfloat16])
def test_the_trial_tells_float32_from_bfloat16_and_leaves_the_precision_alone(monkeypatch, digits):
    before, product = torch.get_float32_matmul_precision(), torch.Tensor.__matmul__

    def rounded(one, other):
        if one.dtype == torch.float32:
            one, other = (factor.to(digits).float() for factor in (one, other))
        return product(one, other)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda name: None)
    assert _medium_is_float32() == (digits == torch.float32)
    assert torch.get_float32_matmul_precision() == before
