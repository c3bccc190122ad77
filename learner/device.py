"""Where the learner computes."""

from __future__ import annotations

import torch

from learner.config import Device

__all__ = ["DeviceError", "resolve_device"]


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
