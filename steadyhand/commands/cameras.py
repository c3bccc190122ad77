"""List the cameras that are plugged in, and try the configured views: size, rate and age of their frames.

`--output DIR` writes one PNG of each view, as the policy sees it.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from steadyhand.output import OutputError, check_output
from steadyhand.robot_envs.camera import Camera, CameraError, Frame
from steadyhand.robot_envs.cameras.plugged import Plugged, plugged_cameras
from steadyhand.robot_envs.cameras.trial import try_camera
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.component import Component
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.settings import Settings, compose_settings
from steadyhand.terminal import say

EPILOG = (
    "The exit status is 1 if nothing is plugged in and no view is configured, or if a configured view fails.\n"
    "example: steadyhand cameras camera=uvc camera.views.wrist.device.address=0 --output pictures"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for the pictures."""
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write a PNG of each configured view into this folder"
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print the cameras, then the views."""
    settings = compose_settings(overrides)
    views = list(_views(settings))
    if options.output is not None:
        _check_folder(options.output, [name for name, _ in views])
    found, reason = plugged_cameras()
    for line in _lines(found):
        say(line)
    if not found:
        say(f"no camera is plugged in{f'; RealSense cameras were not looked for: {reason}' if reason else ''}")
    elif reason:
        say(f"RealSense cameras were not looked for: {reason}")
    if not views:
        return 0 if found else 1
    tried = [_tried(name, view, options.output) for name, view in views]
    return 0 if all(tried) else 1


def _views(settings: Settings) -> Iterator[tuple[str, Component[Camera]]]:
    """Yield the views that a camera of this machine shows; ROS drivers and simulated worlds have their own."""
    setup = settings.robot.setup
    rendered = setup.type.camera if setup is not None else None
    for name, view in settings.camera.views.items():
        if not isinstance(view, Component):
            say(f"{name}: shown by a ROS driver; see `ros2 topic hz {name}/image_raw`")
        elif view.type is rendered:
            say(f"{name}: rendered by the simulated robot")
        else:
            yield name, view


def _lines(found: Sequence[Plugged]) -> Iterator[str]:
    for camera in found:
        yield f"{camera.kind} {camera.address}: {camera.text}"
        yield from (f"    {mode}" for mode in camera.modes)


def _tried(name: str, view: Component[Camera], output: Path | None) -> bool:
    try:
        trial = try_camera(view.make(name, None), MonotonicClock())
    except CameraError as error:
        say(f"{name}: {error}")
        return False
    say(f"{name}: {trial}")
    if output is not None:
        say(f"    {_written(output / f'{name}.png', trial.frame)}")
    return True


def _check_folder(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that cannot be written, before a camera is opened."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"--output {folder}: expected a folder, found a file; choose another path")
    if folder.is_dir():
        for name in names:
            check_output(folder / f"{name}.png", "--output")
    else:
        check_output(folder, "--output")


def _written(path: Path, frame: Frame) -> Path:
    data = io.BytesIO()
    Image.fromarray(frame.pixels).save(data, "PNG")
    path.parent.mkdir(exist_ok=True)
    atomic_write_bytes(path, data.getvalue())
    return path
