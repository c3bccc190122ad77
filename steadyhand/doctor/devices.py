"""Checks of the operator's devices: SpaceMouse and its daemon, gamepad, terminal, and the udev rules for them."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok
from steadyhand.robot_envs.cameras.realsense import RealSense
from steadyhand.robot_envs.devices.device import Device, DeviceError, InputSource
from steadyhand.robot_envs.devices.device_pair import SIDES
from steadyhand.robot_envs.devices.gamepad import Gamepad
from steadyhand.robot_envs.devices.make import find_input, is_over_ros, make_device
from steadyhand.robot_envs.devices.spacemouse import SpaceMouse
from steadyhand.robot_envs.devices.spacemouse_hid import SpaceMouseHid
from steadyhand.robot_envs.devices.web import WebDevice
from steadyhand.runtime.build import ConfigError

__all__ = ["CHECKS"]

SPACENAV_SOCKET = "/var/run/spnav.sock"
SPACEMOUSE_VENDORS = ("256f", "046d")  # 3Dconnexion, and Logitech for the older models
SPACEMOUSE_PRODUCTS = ("c6",)  # of either vendor
REALSENSE = f"{RealSense.__module__}:{RealSense.__name__}"
RULES = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")


def check_device(config: Mapping[str, Any]) -> Finding:
    """Check that the chosen device can be opened and sends readings."""
    values = config["device"]
    if is_over_ros(values):
        return ok("device", f"{values['kind']}: its ROS driver opens it")
    try:
        chosen = find_input(values).type
    except ConfigError as error:
        return broken("device", str(error), "correct it in configs/device/ or on the command line")
    if not issubclass(chosen, Device):
        return ok("device", f"{chosen.name}: nothing to plug in")
    if issubclass(chosen, WebDevice):
        return _check_page(chosen)
    try:
        device = make_device(values)
        device.connect()
    except (DeviceError, ConfigError) as error:
        return broken("device", str(error), chosen.remedy)
    age_s = device.poll().age_s
    device.close()
    return ok("device", f"{chosen.name}: there, {'at rest' if age_s == 0.0 else 'moving'}")


def check_spacenavd(config: Mapping[str, Any]) -> Finding:
    """Check that spacenavd, the SpaceMouse driver, runs."""
    chosen = _group(config, SpaceMouse)
    path = SPACENAV_SOCKET if chosen is None else str(chosen.get("socket", SPACENAV_SOCKET))
    say = note if chosen is None else broken
    if _listens(path):
        return ok("spacenavd", f"running at {path}")
    if shutil.which("spacenavd") is None:
        return say("spacenavd", "not installed", "sudo apt-get install spacenavd (only device=spacemouse needs it)")
    return say("spacenavd", f"not running at {path}", "sudo systemctl enable --now spacenavd")


def check_usb(config: Mapping[str, Any]) -> Finding | None:
    """Check that a SpaceMouse is plugged in."""
    seen = _spacemice()
    if seen:
        return ok("usb", f"SpaceMouse {', '.join(seen)}")
    if _group(config, SpaceMouse) is None and _group(config, SpaceMouseHid) is None:
        return None
    # A wireless or serial SpaceMouse, or one of another container, is not visible here.
    return note("usb", "no SpaceMouse is plugged into this machine's USB", "plug it in; lsusb should show it")


def check_gamepad(config: Mapping[str, Any]) -> Finding | None:
    """Check that the gamepad's device file is readable."""
    chosen = _group(config, Gamepad)
    if chosen is None:
        return None
    pattern = str(chosen.get("path"))
    found = sorted(glob.glob(pattern))
    if not found:
        return broken("gamepad", f"nothing at {pattern}", "plug it in; the kernel module is `sudo modprobe joydev`")
    if not os.access(found[0], os.R_OK):
        return broken("gamepad", f"{found[0]} may not be read", "sudo usermod -aG input $USER, and log in again")
    return ok("gamepad", found[0])


def check_udev_rules(config: Mapping[str, Any]) -> Finding:
    """Check that the udev rules for the chosen hardware are installed."""
    views = config["camera"].get("views") or {}
    if not any(_is_plugged_realsense(view) for view in views.values()):
        return ok("udev rules", "none needed by this configuration")
    if any(glob.glob(f"{folder}/*realsense*") for folder in RULES):
        return ok("udev rules", "RealSense")
    return broken(
        "udev rules", "none for RealSense cameras", "install librealsense's 99-realsense-libusb.rules, then replug"
    )


def _check_page(device: type[WebDevice]) -> Finding:
    if importlib.util.find_spec("websockets") is None:
        return broken("device", f"{device.name}: the package websockets is not installed", "pip install '.[web]'")
    return ok("device", f"{device.name}: served by record, act, eval, run and teleop, which print its address")


def _group(config: Mapping[str, Any], device: type[InputSource]) -> Mapping[str, Any] | None:
    """Return the group of the chosen device of that class, also of one of a pair; None = there is none."""
    values: Mapping[str, Any] = config["device"]
    pair: list[Mapping[str, Any]] = [values[side] for side in SIDES if isinstance(values.get(side), Mapping)]
    for group in (values, *pair):
        try:
            if not is_over_ros(group) and issubclass(find_input(group).type, device):
                return group
        except ConfigError:
            continue
    return None


def _is_plugged_realsense(view: Any) -> bool:
    if not isinstance(view, Mapping) or view.get("entry_point") != REALSENSE:
        return False
    return (view.get("device") or {}).get("recording") is None


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _spacemice() -> list[str]:
    seen = []
    for folder in sorted(Path("/sys/bus/usb/devices").glob("*")):
        with suppress(OSError):
            vendor, product = ((folder / name).read_text().strip() for name in ("idVendor", "idProduct"))
            if vendor in SPACEMOUSE_VENDORS and product.startswith(SPACEMOUSE_PRODUCTS):
                seen.append(f"{vendor}:{product}")
    return seen


CHECKS = (check_device, check_spacenavd, check_usb, check_gamepad, check_udev_rules)
