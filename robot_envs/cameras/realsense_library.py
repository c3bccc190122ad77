"""Access to pyrealsense2, and to the RealSense cameras that are plugged in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.logging import escaped

__all__ = [
    "device_text",
    "find_device",
    "library",
    "one_line",
    "plugged_devices",
    "profile_texts",
    "serial_of",
    "usb_of",
    "video_profiles",
]


def library() -> Any:
    """Import pyrealsense2.

    Raises:
        CameraError: It is not installed, or a library that it needs is not.
    """
    try:
        import pyrealsense2
    except ModuleNotFoundError:
        raise CameraError("expected the package pyrealsense2, found none; pip install '.[realsense]'") from None
    except ImportError as error:
        raise CameraError(f"pyrealsense2 cannot be loaded ({error}); sudo apt-get install libusb-1.0-0") from None
    return pyrealsense2


@cache
def context() -> Any:
    """The one context of this process; a new one would search the USB buses again."""
    return library().context()


def plugged_devices() -> list[Any]:
    """Return the cameras that are plugged in, as `rs.device`.

    pyrealsense2 holds Python's global lock meanwhile, so this is only called to open a camera.
    """
    return list(context().query_devices())


def find_device(serial: str) -> Any:
    """Return the camera with this serial number.

    Raises:
        CameraError: It is not plugged in; the line lists those that are.
    """
    devices = plugged_devices()
    for device in devices:
        if serial_of(device) == serial:
            return device
    found = "; ".join(device_text(device) for device in devices) or "none plugged in"
    raise CameraError(f"expected a RealSense with serial {serial}, found {found}; see `steadyhand cameras`")


def serial_of(device: Any) -> str:
    """Return the serial number; "" of a device without one, such as a camera in recovery mode."""
    return _info(device, library().camera_info.serial_number)


def usb_of(device: Any) -> str:
    """Return the version of its USB connection, such as 3.2; "" of a device without one, such as a recording."""
    return _info(device, library().camera_info.usb_type_descriptor)


def device_text(device: Any) -> str:
    """Return serial number, model and USB version of a camera."""
    usb = usb_of(device)
    name = _info(device, library().camera_info.name)
    return f"{serial_of(device)} ({name}{f', USB {usb}' if usb else ''})"


def profile_texts(device: Any, stream: str) -> list[str]:
    """Return the sizes and rates of a camera's stream, such as `640x480 at 30, 15`, the largest first.

    Args:
        device: The camera.
        stream: colour or depth.
    """
    rates: dict[tuple[int, int], set[int]] = {}
    for _, profile in video_profiles(device, stream):
        rates.setdefault((profile.width(), profile.height()), set()).add(profile.fps())
    return [
        f"{width}x{height} at {', '.join(map(str, sorted(found, reverse=True)))}"
        for (width, height), found in sorted(rates.items(), reverse=True)
    ]


def video_profiles(device: Any, stream: str) -> Iterator[tuple[Any, Any]]:
    """Yield every sensor with each profile of a stream in the format that is read: RGB bytes, or 16-bit depth."""
    rs = library()
    kinds = {"colour": (rs.stream.color, rs.format.rgb8), "depth": (rs.stream.depth, rs.format.z16)}
    kind, pixel_format = kinds[stream]
    for sensor in device.query_sensors():
        for profile in sensor.get_stream_profiles():
            if profile.stream_type() == kind and profile.format() == pixel_format:
                yield sensor, profile.as_video_stream_profile()


def one_line(error: Exception) -> str:
    """Return the message of an exception of the library on one line."""
    return escaped(" ".join(str(error).split()))


def _info(device: Any, key: Any) -> str:
    return str(device.get_info(key)) if device.supports(key) else ""
