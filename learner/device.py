"""Where the learner computes, and in what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from learner.config import Device, Precision

__all__ = ["DeviceError", "resolve_device", "resolve_precision"]

CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # any of these; older torch does not tell


class DeviceError(RuntimeError):
    """A device that this machine does not have."""


def resolve_device(name: Device) -> torch.device:
    """Return the device to compute on; `auto` takes the fastest there is.

    Raises:
        DeviceError: it was asked for by name and is not there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present[name]:
        there = ", ".join(kind for kind, there in present.items() if there)
        raise DeviceError(f"learner.device={name}: this machine has no {name}; choose auto or one of: {there}")
    return torch.device(name)


def resolve_precision(name: Precision, device: torch.device) -> torch.dtype:
    """Return what convolutions compute in; `auto` takes bfloat16 where the device has products of it.

    Raises:
        DeviceError: bfloat16 was asked for by name, and this device has none at all.
    """
    if name == "float32":
        return torch.float32
    if device.type == "cuda":
        native = possible = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        tell: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
        capabilities = tell() if device.type == "cpu" else {}
        native = any(capabilities.get(name) for name in CPU_BFLOAT16)
        possible = device.type == "cpu"  # any can, in software
    if name == "bfloat16" and not possible:
        raise DeviceError(f"learner.convolutions=bfloat16: this {device.type} device has none; choose auto or float32")
    return torch.bfloat16 if native or name == "bfloat16" else torch.float32
