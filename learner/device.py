"""The device and the precision of the learner's computations."""

from __future__ import annotations

from typing import Literal

import torch

from steadyhand.learner.config import Device, Matmul, Precision

__all__ = ["DeviceError", "resolve_device", "resolve_matmul", "resolve_precision"]

FLOAT32_ERROR = 1e-5  # of a product's norm; float32 has 1e-7, bfloat16 and TF32 more than 1e-4


class DeviceError(RuntimeError):
    """A device that this machine does not have."""


def resolve_device(name: Device) -> torch.device:
    """Return the device to compute on; `auto` takes the fastest there is.

    Raises:
        DeviceError: The device was requested by name and does not exist.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present[name]:
        there = ", ".join(kind for kind, there in present.items() if there)
        raise DeviceError(f"learner.device={name}: this machine has no {name}; choose auto or one of: {there}")
    return torch.device(name)


def resolve_precision(name: Precision, device: torch.device) -> torch.dtype:
    """Return the precision of convolutions; `auto` takes bfloat16 on CUDA devices that support it.

    Raises:
        DeviceError: The precision bfloat16 was requested by name, and this device does not support it.
    """
    has_it = device.type == "cpu"  # every CPU supports it, in software if need be
    if device.type == "cuda":
        has_it = torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "bfloat16" and not has_it:
        raise DeviceError(f"learner.convolutions=bfloat16: this {device.type} device has none; choose auto or float32")
    wanted = name == "bfloat16" or (name == "auto" and device.type == "cuda")
    return torch.bfloat16 if wanted and has_it else torch.float32


def resolve_matmul(name: Matmul, device: torch.device) -> Literal["highest", "high", "medium"]:
    """Return the precision of float32 matrix products, as `torch.set_float32_matmul_precision` names it.

    On a CPU torch gives products of precision `medium` to oneDNN, which is twice as fast as MKL on AMD's CPUs. oneDNN
    then uses bfloat16 where the CPU has units for it (AMX), and float32 where it has none. `auto` takes `medium` in the
    second case alone, which it finds out by a product.
    """
    if name != "auto":
        return name
    return "medium" if device.type == "cpu" and _medium_is_float32() else "highest"


def _medium_is_float32() -> bool:
    source = torch.Generator().manual_seed(0)
    one, other = (torch.randn(256, 256, generator=source) for _ in range(2))
    exact = one.double() @ other.double()
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        return bool((one @ other - exact).norm() < FLOAT32_ERROR * exact.norm())
    finally:
        torch.set_float32_matmul_precision(before)
