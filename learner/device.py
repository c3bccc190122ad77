"""The device and the precision of the learner's computations."""

from __future__ import annotations

import torch

from steadyhand.learner.config import Device, Precision

__all__ = ["DeviceError", "resolve_device", "resolve_precision"]


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
