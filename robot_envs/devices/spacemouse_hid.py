"""A SpaceMouse read directly over HID, through the package pyspacemouse and the library hidapi; no daemon is needed.

Axes are those of the device: 0 right, 1 towards the person, 2 down, and 3 to 5 the rotation about them (`HID` in
pyspacemouse). One unit is full deflection as pyspacemouse scales it; some models reach 1.4. A deflected cap repeats its
report about every 16 ms, also while it is pressed evenly. At rest it is silent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceError, DeviceSettings, check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["HidLink", "SpaceMouseHid", "SpaceMouseHidConfig"]

NAME = "spacemouse_hid"
AXES = ("x", "y", "z", "roll", "pitch", "yaw")
GENERIC_DESKTOP, MULTI_AXIS = 0x01, 0x08  # HID usage of a six-axis mouse (USB HID Usage Tables 1.5, section 4.1)
RULE = 'KERNEL=="hidraw*", ATTRS{idVendor}=="256f", MODE="0660", TAG+="uaccess"'
NO_HIDAPI = f"{NAME}: expected the library libhidapi-hidraw, found none; sudo apt-get install libhidapi-hidraw0"
ABSENT = "expected a SpaceMouse, found none; plug it in"

_opened: set[str] = set()  # real paths that this process reads: two arms must not share one device
_lock = threading.Lock()


@dataclass(frozen=True)
class SpaceMouseHidConfig(DeviceSettings):
    """The device, and the meaning of the cap's axes.

    Attributes:
        path: Path of its hidraw file, or of a link to it; null = the only SpaceMouse of this machine.
        retry_s: Time between two attempts to open a lost device.
        neutral_s: Time at rest after which the cap counts as released.
        mapping: Meaning of axes and buttons.
    """

    path: str | None
    retry_s: float
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "retry_s", "neutral_s")
        if max(self.mapping.axes) >= len(AXES):
            raise ValueError(f"mapping.axes: expected numbers below {len(AXES)}, found {max(self.mapping.axes)}")


class SpaceMouseHid(AxesDevice):
    """A SpaceMouse over HID for one arm.

    Args:
        config: Path and mapping.
        clock: Monotonic clock.
    """

    settings_type = SpaceMouseHidConfig
    name = NAME
    address = ("path",)
    remedy = "plug the SpaceMouse in, see docs/devices.md"

    def __init__(self, config: SpaceMouseHidConfig, clock: Clock | None = None) -> None:
        clock = clock or MonotonicClock()
        handle = Handle(config.mapping, clock)
        reader = Reader(self.name, partial(HidLink, config.path, handle, config.mapping), handle.lose, config.retry_s)
        super().__init__(self.name, ABSENT, reader, handle, config.mapping, clock, config.neutral_s)


class HidLink:
    """The open device.

    A device reports a button when it changes. A button that is down on opening counts as a press with the next report
    of buttons.

    Args:
        path: As in the settings.
        handle: Receives the changes of axes and buttons.
        mapping: The buttons that the device must have.

    Raises:
        DeviceError: A package or library is missing.
        OSError: The device is missing, may not be opened, is already open, or has too few buttons.
    """

    def __init__(self, path: str | None, handle: Handle, mapping: MappingConfig) -> None:
        self._handle = handle
        pyspacemouse, easyhid = _packages()
        with _lock:
            device, info = _found(pyspacemouse, easyhid, path)
            self._path = os.path.realpath(device.path)
            _check_buttons(info, mapping)
            self._waiting = _WaitingDevice(device, easyhid.HIDException)
            self._mouse = _open(pyspacemouse, self._waiting, info, self._path)
            _opened.add(self._path)
        self._down: Sequence[int] = [0] * len(info.button_specs)
        self._mouse.configure(dof_callback=self._move, button_callback=self._press)
        handle.found()

    def serve(self, timeout_s: float) -> None:
        """Process the next report. Raises OSError when the device was unplugged."""
        self._waiting.timeout_ms = round(timeout_s * 1e3)
        try:
            self._mouse.read()
        except self._waiting.errors as error:
            raise OSError(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Close the device."""
        with _lock:
            _opened.discard(self._path)
            self._mouse.close()

    def _move(self, state: Any) -> None:
        self._handle.move([float(getattr(state, axis)) for axis in AXES])

    def _press(self, state: Any, buttons: Sequence[int]) -> None:
        for number, (before, now) in enumerate(zip(self._down, buttons, strict=True)):
            if now != before:
                self._handle.press(number, bool(now))
        self._down = list(buttons)


class _WaitingDevice:
    """An HID device of easyhid whose `read` waits for a report; pyspacemouse reads without a time limit of its own."""

    def __init__(self, device: Any, errors: type[Exception]) -> None:
        self._device = device
        self.timeout_ms = 0
        self.errors = errors

    def read(self, size: int) -> bytes:
        """Return the next report, at most `size` bytes; b"" without one within the time."""
        return bytes(self._device.read(size, timeout=self.timeout_ms))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)


def _packages() -> tuple[Any, Any]:
    """Import pyspacemouse and easyhid below it. Raises DeviceError when one of them or hidapi is missing."""
    try:
        import easyhid
        import pyspacemouse
    except ModuleNotFoundError as error:
        raise DeviceError(
            f"{NAME}: expected the package pyspacemouse, found none ({error.name}); pip install '.[spacemouse-hid]'"
        ) from error
    except OSError as error:
        raise DeviceError(NO_HIDAPI) from error
    return pyspacemouse, easyhid


def _found(pyspacemouse: Any, easyhid: Any, path: str | None) -> tuple[Any, Any]:
    """Return the HID device at `path`, or the only one, and its description by pyspacemouse."""
    try:
        listed = easyhid.Enumeration().find()
    except AttributeError as error:  # easyhid imports without hidapi, and then lacks its functions
        raise DeviceError(NO_HIDAPI) from error
    known = {info.hid_id: info for info in pyspacemouse.get_device_specs().values()}
    mice = {}
    for device in listed:
        info = known.get((device.vendor_id, device.product_id))
        # A receiver has a keyboard and a mouse too; an older hidapi gives no usage.
        if info is not None and (device.usage_page, device.usage) in ((GENERIC_DESKTOP, MULTI_AXIS), (0, 0)):
            mice[os.path.realpath(device.path)] = device, info
    shown = ", ".join(f"{where} ({info.name})" for where, (_, info) in sorted(mice.items())) or "none"
    if path is None and len(mice) > 1:
        raise OSError(f"expected one SpaceMouse, found {shown}; name yours in device.path")
    wanted = next(iter(mice), "") if path is None else os.path.realpath(path)
    if wanted not in mice:
        where = "" if path is None else f" at {path}"
        raise FileNotFoundError(f"expected a SpaceMouse{where}, found {shown}; plug it in, see docs/devices.md")
    if wanted in _opened:
        raise OSError(f"{wanted}: expected a SpaceMouse for each arm, found one for both; correct device.path")
    return mice[wanted]


def _check_buttons(info: Any, mapping: MappingConfig) -> None:
    highest, names = max((max(numbers) for numbers in mapping.buttons.values()), default=-1), info.button_names
    if highest >= len(names):
        has = ", ".join(f"{number} {name}" for number, name in enumerate(names)) or "none"
        raise OSError(f"{info.name}: expected button {highest} of device.mapping.buttons, found {has}; correct it")


def _open(pyspacemouse: Any, device: _WaitingDevice, info: Any, path: str) -> Any:
    """Return the open mouse of pyspacemouse; its own `open_by_path` prints, and reads without a time limit."""
    mouse = pyspacemouse.SpaceMouseDevice(pyspacemouse.apply_axis_convention(info, "hid"), device)
    try:
        mouse.open()
    except RuntimeError as error:
        refused = os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)
        remedy = f"add the udev rule {RULE} and plug it in again" if refused else "plug it in again"
        raise OSError(f"{path}: expected to open the {info.name}, found {error}; {remedy}") from error
    return mouse
