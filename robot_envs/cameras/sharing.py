"""Captures of this process, by device: several views of one device share its capture thread.

A device can be opened only once. Colour and depth of one RealSense, or two crops of one camera, are views of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import Capture, Taker

__all__ = ["join", "leave"]


@dataclass
class _Shared:
    capture: Capture
    settings: object
    views: int = 0


_lock = Lock()
_shared: dict[Hashable, _Shared] = {}


def join(device: Hashable, settings: object, make: Callable[[], Capture], taker: Taker) -> Capture:
    """Return the capture of a device with `taker` added; the first view of a device starts it.

    Args:
        device: Identity of the device, such as its serial number.
        settings: Its settings, which must be those of the views before.
        make: Makes the capture, not yet started.
        taker: Receives the pictures.

    Raises:
        CameraError: Another view has opened the device with other settings.
    """
    with _lock:
        found = _shared.get(device)
        if found is None:
            found = _shared[device] = _Shared(make(), settings)
            found.capture.add(taker)
            found.capture.start()
        elif found.settings != settings:
            raise CameraError(
                "device: expected the same settings in all views of one device, found others; write them once, and "
                "${camera.views.<first view>.device} in the other views"
            )
        else:
            found.capture.add(taker)
        found.views += 1
        return found.capture


def leave(device: Hashable, taker: Taker) -> None:
    """Deliver no more pictures to `taker`; the last view of a device stops its capture."""
    with _lock:
        found = _shared[device]
        found.capture.remove(taker)
        found.views -= 1
        if found.views == 0:
            del _shared[device]
            found.capture.stop()
