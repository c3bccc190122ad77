"""A short trial of one camera: connect it, receive frames, close it."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.robot_envs.camera import Camera, CameraError, Frame
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.observation_kinds import IMAGE, kind_of

__all__ = ["Trial", "try_camera"]

TRIAL_S = 1.0


@dataclass(frozen=True)
class Trial:
    """The result of a trial.

    Attributes:
        frame: The newest frame.
        frames_per_s: Rate of new frames [1/s].
        age_s: Age of the newest frame at the end [s].
    """

    frame: Frame
    frames_per_s: float
    age_s: float

    def __str__(self) -> str:
        height, width = self.frame.pixels.shape[:2]
        return f"{width}x{height}, {self.frames_per_s:.1f} frames/s, newest {1e3 * self.age_s:.0f} ms old"


def try_camera(camera: Camera, clock: Clock, trial_s: float = TRIAL_S) -> Trial:
    """Connect a camera, receive its frames for `trial_s`, and close it.

    Raises:
        CameraError: It cannot be connected, or its frames are no RGB images of the view's size.
    """
    camera.connect()
    try:
        first = camera.latest()
        clock.sleep_until(clock.now_ns() + round(trial_s * 1e9))
        frame, now_ns = camera.latest(), clock.now_ns()
    finally:
        camera.close()
    if (
        frame.pixels.shape != (camera.height, camera.width, 3)
        or kind_of(frame.pixels.shape, frame.pixels.dtype) is None
    ):
        raise CameraError(
            f"camera {camera.name!r}: expected {IMAGE.text} of {camera.height}x{camera.width}, found "
            f"{frame.pixels.shape} {frame.pixels.dtype}"
        )
    span_s = (frame.stamp_ns - first.stamp_ns) / 1e9
    rate = (frame.counter - first.counter) / span_s if span_s > 0.0 else 0.0
    return Trial(frame, rate, (now_ns - frame.stamp_ns) / 1e9)
