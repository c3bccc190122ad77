import pytest
import torch

from steadyhand.doctor import Level, gpu
from tests.unit.steadyhand.doctor.kit import config


@pytest.fixture
def no_gpu(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(gpu, "DRIVER", tmp_path / "version")


@pytest.mark.usefixtures("no_gpu")
def test_only_who_asks_for_cuda_needs_a_gpu():
    assert gpu.check_gpu(config()).level is Level.NOTE
    assert gpu.check_gpu(config("learner.device=cpu")).level is Level.NOTE
    assert gpu.check_gpu(config("learner.device=cuda")).level is Level.BROKEN


@pytest.mark.usefixtures("no_gpu")
def test_a_driver_that_torch_was_not_built_for_is_told_apart(monkeypatch):
    gpu.DRIVER.touch()
    assert "COMPUTE=cuda" in gpu.check_gpu(config("learner.device=cuda")).mend
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "install the driver" in gpu.check_gpu(config("learner.device=cuda")).mend
