"""The cameras that are plugged into this machine: RealSense by serial number, and Video4Linux by device file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras import realsense_library

__all__ = ["Plugged", "plugged_cameras"]

DEV, NAMES, BY_ID = Path("/dev"), Path("/sys/class/video4linux"), Path("/dev/v4l/by-id")


@dataclass(frozen=True)
class Plugged:
    """One camera.

    Attributes:
        kind: realsense or video.
        address: The value of `device.serial`, or of `device.address`.
        text: Model and connection.
        modes: Modes of its streams.
    """

    kind: str
    address: str
    text: str
    modes: tuple[str, ...] = ()


def plugged_cameras() -> tuple[list[Plugged], str]:
    """Return the cameras, and in one line why RealSense cameras could not be listed; "" = they were."""
    found, reason = list(_videos()), ""
    try:
        found = [*_realsenses(), *found]
    except (CameraError, RuntimeError) as error:
        reason = realsense_library.one_line(error)
    return found, reason


def _realsenses() -> Iterator[Plugged]:
    for device in realsense_library.plugged_devices():
        streams = {stream: realsense_library.profile_texts(device, stream) for stream in ("colour", "depth")}
        modes = tuple(f"{stream} {mode}" for stream, texts in streams.items() for mode in texts)
        serial = realsense_library.serial_of(device)
        yield Plugged("realsense", serial, realsense_library.device_text(device).partition(" ")[2].strip("()"), modes)


def _videos() -> Iterator[Plugged]:
    """Yield every video device. A camera often has several, of which one gives pictures; a RealSense has many."""
    by_id = {path.resolve(): path.name for path in BY_ID.glob("*")} if BY_ID.is_dir() else {}
    for path in sorted(DEV.glob("video*"), key=lambda path: (len(path.name), path.name)):
        name = NAMES / path.name / "name"
        text = name.read_text(encoding="utf-8").strip() if name.is_file() else "no name"
        yield Plugged("video", by_id.get(path.resolve(), str(path)), f"{text}, {path}")
